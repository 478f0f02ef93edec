// The AI SDK with @ai-sdk/openai-compatible against the gateway.
import { BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCHEMA, SCRIPTED, URL_, check, fails, load, run, same } from "./steps.mjs";

const { createOpenAICompatible } = await load("@ai-sdk/openai-compatible");
const { embedMany, generateText, jsonSchema, Output, streamText, tool } = await load("ai");
const provider = (apiKey = KEY) => createOpenAICompatible(
  { name: "gateway", baseURL: URL_ + "/v1", apiKey, supportsStructuredOutputs: true, includeUsage: true });
const asked = (model = MODEL, fields = {}) =>
  ({ model: provider()(model), prompt: "Say hello.", maxOutputTokens: 40, maxRetries: 2, ...fields });
const TOOLS = {
  tools: { weather: tool({ description: "of a city", inputSchema: jsonSchema(PARAMETERS) }) },
  toolChoice: { type: "tool", toolName: "weather" }, maxOutputTokens: 60,
};

async function streamed(model = MODEL) {
  let text = "", failed = null;
  for await (const part of streamText(asked(model, { onError: () => {} })).fullStream) {
    if (part.type === "text-delta") text += part.text;
    if (part.type === "error") failed = part.error;
  }
  if (failed) throw failed instanceof Error ? failed : new Error(failed.message ?? JSON.stringify(failed));
  return text;
}

async function structured() {
  const answer = await generateText(asked(MODEL, { output: Output.object({ schema: jsonSchema(SCHEMA) }), maxOutputTokens: 60 }));
  check("city" in answer.output, "the schema's field");
}

const STEPS = {
  chat: async () => same((await generateText(asked())).text),
  stream: async () => same(await streamed()),
  tools: async () => check((await generateText(asked(MODEL, TOOLS))).toolCalls[0].toolName === "weather", "a call"),
  structured,
  embeddings: async () =>
    check((await embedMany({ model: provider().textEmbeddingModel(MODEL), values: ["a", "b"], maxRetries: 0 })).embeddings.length === 2, "two"),
  "unknown model": () => fails(() => generateText(asked("nobody")), 404),
  "bad key": () => fails(() => generateText({ ...asked(), model: provider("wc-0-0")(MODEL) }), 401),
  overflow: () => fails(() => generateText(asked(SCRIPTED ? "overflow" : MODEL, { prompt: LONG })), 400, OVERFLOW),
};
const ODD = {
  crlf: async () => same(await streamed("crlf")),
  "events of several lines": async () => same(await streamed("lines")),
  "no usage": async () => same(await streamed("no-usage")),
  "cut stream": () => fails(() => streamed("cut"), "broke off"),
  "error in a 200": () => fails(() => generateText(asked("error-in-200")), OVERFLOW),
  "error, then [DONE]": () => fails(() => streamed("error-then-done"), "failed"),
  "busy at first": async () => same((await generateText(asked(BUSY))).text),
};
await run({ ...STEPS, ...(SCRIPTED ? ODD : {}) }, ["embeddings"]);
