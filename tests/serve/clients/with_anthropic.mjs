// Anthropic's TypeScript SDK against the gateway.
import { BUSY, KEY, LONG, MODEL, OVERFLOW, PARAMETERS, SCRIPTED, URL_, check, fails, load, run, same } from "./steps.mjs";

const { Anthropic } = await load("@anthropic-ai/sdk");
const client = new Anthropic({ baseURL: URL_, apiKey: KEY, maxRetries: 2, timeout: 120000 });
const messages = [{ role: "user", content: "Say hello." }];
const TOOL = { name: "weather", description: "of a city", input_schema: PARAMETERS };

const create = (model = MODEL, fields = {}) => client.messages.create({ model, messages, max_tokens: 20, ...fields });
const streamed = (model = MODEL, fields = {}) =>
  client.messages.stream({ model, messages, max_tokens: 20, ...fields }).finalMessage();

async function tools() {
  const fields = { tools: [TOOL], tool_choice: { type: "tool", name: "weather" }, max_tokens: 60 };
  for (const message of [await create(MODEL, fields), await streamed(MODEL, fields)])
    check(message.content.at(-1).type === "tool_use" && message.content.at(-1).name === "weather", "a call");
}

// The SDK's own loop of calls, which first asks the server to keep the conversation.
async function toolRunner() {
  const { betaTool } = await load("@anthropic-ai/sdk/helpers/beta/json-schema");
  const tool = betaTool({ name: "weather", description: "of a city", inputSchema: PARAMETERS, run: ({ city }) => "rain in " + city });
  const message = await client.beta.messages.toolRunner({ model: MODEL, messages, max_tokens: 60, tools: [tool] });
  same(message.content[0].text);
}

const STEPS = {
  models: async () => { for await (const model of client.models.list()) check((await client.models.retrieve(model.id)).display_name, "one"); },
  chat: async () => same((await create()).content[0].text),
  stream: async () => same((await streamed()).content[0].text),
  tools,
  count_tokens: async () => check((await client.messages.countTokens({ model: MODEL, messages })).input_tokens > 0, "some"),
  "unknown model": () => fails(() => create("nobody"), "NotFoundError", "not_found_error"),
  "bad key": () => fails(() => client.withOptions({ apiKey: "wc-0-0" }).messages.create(
    { model: MODEL, messages, max_tokens: 9 }), "AuthenticationError"),
  "body too large": () => fails(() => create(MODEL, { system: LONG.repeat(20) }), 413, "request_too_large"),
  overflow: () => fails(() => create(SCRIPTED ? "overflow" : MODEL, { system: LONG }), "BadRequestError", OVERFLOW),
};
const ODD = {
  crlf: async () => same((await streamed("crlf")).content[0].text),
  "events of several lines": async () => same((await streamed("lines")).content[0].text),
  "no usage": async () => same((await streamed("no-usage")).content[0].text),
  "cut stream": () => fails(() => streamed("cut"), "broke off"),
  "error in a 200": () => fails(() => create("error-in-200"), OVERFLOW),
  "error, then [DONE]": () => fails(() => streamed("error-then-done"), "failed"),
  "tool runner": toolRunner,
  "busy at first": async () => same((await create(BUSY)).content[0].text),
};
await run({ ...STEPS, ...(SCRIPTED ? ODD : {}) });
