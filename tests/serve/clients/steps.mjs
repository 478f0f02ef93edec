// As steps.py, for clients in JavaScript. NODE_CLIENTS names the folder in which they are installed.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [url, key, mode] = process.argv.slice(2);
// Refuses every other request, whatever other clients do meanwhile.
export const BUSY = "busy-" + process.argv[1].split("/").at(-1);
export const URL_ = url, KEY = key, SCRIPTED = mode === "scripted";
export const MODEL = SCRIPTED ? "good" : "wavecoder", TEXT = "Hello from the engine";
export const OVERFLOW = "maximum context length", LONG = "word ".repeat(20000);
export const PARAMETERS = { type: "object", properties: { city: { type: "string" } }, required: ["city"] };
export const SCHEMA = {
  type: "object", properties: { city: { type: "string", maxLength: 20 } }, required: ["city"], additionalProperties: false,
};

const require = createRequire(process.env.NODE_CLIENTS + "/package.json");
export const load = (name) => import(pathToFileURL(require.resolve(name)));

export const check = (fact, what) => { if (!fact) throw new Error("not so: " + what); };
export const same = (text) => check(SCRIPTED ? text === TEXT : Boolean(text), JSON.stringify(text));

export async function fails(call, ...words) {
  let error = null;
  try { await call(); } catch (caught) { error = caught; }
  check(error, "no error came");
  const told = [error.constructor.name, error.status ?? error.statusCode, error.message, error.responseBody].join(" ");
  for (const word of words) check(told.toLowerCase().includes(String(word).toLowerCase()), told + " holds " + word);
  return error;
}

// As TRIES of steps.py.
const TRIES = SCRIPTED ? {} : { tools: 4, structured: 4 };

async function attempt(step, tries) {
  for (let left = tries - 1; ; left--)
    try { return await step(); } catch (error) { if (!left) throw error; }
}

export async function run(steps, refused = []) {
  for (const [name, step] of Object.entries(steps)) {
    let result = "passed";
    try { await attempt(step, TRIES[name] ?? 1); } catch (error) {
      const told = [error.message, error.responseBody].join(" ").replaceAll(/\s+/g, " ");
      const byName = refused.includes(name) && !SCRIPTED && told.includes("does not answer this address");
      result = (byName ? "refused: " : "failed: " + error.constructor.name + ": ") + told.slice(0, 300);
    }
    console.log(JSON.stringify({ step: name, result }));
  }
}
