// openai-node against the gateway.
import { BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCHEMA, SCRIPTED, URL_, check, fails, load, run, same } from "./steps.mjs";

const { OpenAI } = await load("openai");
const client = new OpenAI({ baseURL: URL_ + "/v1", apiKey: KEY, maxRetries: 2, timeout: 120000 });
const HELLO = [{ role: "user", content: "Say hello." }];
const TOOL = { type: "function", function: { name: "weather", description: "of a city", parameters: PARAMETERS } };
const FORCED = { tools: [TOOL], tool_choice: { type: "function", function: { name: "weather" } }, max_tokens: 60 };

const create = (model = MODEL, fields = {}) =>
  client.chat.completions.create({ model, messages: HELLO, max_tokens: 20, ...fields });

async function streamed(model = MODEL, fields = {}) {
  let text = "";
  for await (const chunk of await create(model, { stream: true, ...fields })) text += chunk.choices[0]?.delta?.content ?? "";
  return text;
}

async function tools() {
  const answer = await create(MODEL, FORCED);
  check(answer.choices[0].message.tool_calls[0].function.name === "weather", "a call");
  const final = await client.chat.completions.stream({ model: MODEL, messages: HELLO, ...FORCED }).finalChatCompletion();
  check(final.choices[0].message.tool_calls[0].function.name === "weather", "a streamed call");
}

async function structured() {
  const json_schema = { name: "place", schema: SCHEMA, strict: true };
  const answer = await create(MODEL, { response_format: { type: "json_schema", json_schema }, max_tokens: 60 });
  check("city" in JSON.parse(answer.choices[0].message.content), "the schema's field");
}

async function responses() {
  same((await client.responses.create({ model: MODEL, input: "Say hello.", max_output_tokens: 20 })).output_text);
  let text = "";
  for await (const event of await client.responses.create({ model: MODEL, input: "Hello", max_output_tokens: 20, stream: true }))
    if (event.type === "response.output_text.delta") text += event.delta;
  same(text);
}

async function left() {
  const controller = new AbortController();
  const stream = await create(MODEL, { stream: true, max_tokens: 500 });
  for await (const _ of stream) { stream.controller.abort(); break; }
  controller.abort();
  same((await create()).choices[0].message.content);
}

const STEPS = {
  models: async () => { for await (const model of client.models.list()) await client.models.retrieve(model.id); },
  chat: async () => same((await create()).choices[0].message.content),
  stream: async () => same(await streamed()),
  tools, structured, responses, left,
  embeddings: async () => check((await client.embeddings.create({ model: MODEL, input: ["a", "b"] })).data.length === 2, "two"),
  "unknown model": () => fails(() => create("nobody"), "NotFoundError"),
  "bad key": () => fails(() => client.withOptions({ apiKey: "wc-0-0" }).models.list(), "AuthenticationError"),
  "body too large": () => fails(() => create(MODEL, { messages: [{ role: "user", content: LONG.repeat(20) }] }), 413, "at most"),
  overflow: () => fails(() => create(SCRIPTED ? "overflow" : MODEL, { messages: [{ role: "user", content: LONG }] }),
    "BadRequestError", OVERFLOW),
};
const ODD = {
  crlf: async () => same(await streamed("crlf")),
  "events of several lines": async () => same(await streamed("lines")),
  "no usage": async () => same(await streamed("no-usage")),
  "cut stream": () => fails(() => streamed("cut"), "broke off"),
  "error in a 200": () => fails(() => create("error-in-200"), OVERFLOW),
  "error, then [DONE]": () => fails(() => streamed("error-then-done"), "failed"),
  "busy at first": async () => same((await create(BUSY)).choices[0].message.content),
};
await run({ ...STEPS, ...(SCRIPTED ? ODD : {}) }, ["embeddings"]);
