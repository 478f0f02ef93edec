#!/usr/bin/env bash
# A busy server that says "Retry-After: 3600" makes one call of Anthropic's client sleep an hour, whatever its timeout.
#
# The usual guess: `timeout=1` bounds a try, and retries come after a short backoff, as the README says; a call with two
#   retries is over in seconds. The two clients, made by one generator, do the same.
# True: anthropic 2.12.0 sleeps as long as the header says, up to 49 days. The timeout counts only the tries, and the one
#   log line is INFO, which is hidden by default. openai 3.54.0 does not retry at all from 121 seconds on, so that the
#   longest waits are the errors that come at once. Up to 120 seconds it sleeps too.
# Whom it hurts: a job behind a gateway with hourly or daily limits stands still with idle workers, where every request
#   seems to be bounded; and the same 429 ends the job at once when the other client is taken.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check anthropic==2.12.0 openai==3.54.0
"$folder/venv/bin/python" - <<'PYTHON'
import asyncio
import http.server
import threading
from importlib.metadata import version

import anthropic
import openai

asked = []


class Busy(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        asked.append(self.path)
        self.send_response(429)
        self.send_header("Retry-After", "3600")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *words):
        """Quiet."""


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Busy)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
OPTIONS = {"api_key": "none", "timeout": 1.0, "max_retries": 2}
MESSAGES = [{"role": "user", "content": "hi"}]


async def outcome(call):
    asked.clear()
    try:
        await asyncio.wait_for(call, 10)
    except asyncio.TimeoutError:
        return "still waits after 10 s", len(asked)
    except (anthropic.APIError, openai.APIError) as error:
        return type(error).__name__, len(asked)


async def both():
    of_anthropic = anthropic.AsyncAnthropic(base_url=address, **OPTIONS)
    of_openai = openai.AsyncOpenAI(base_url=address + "/v1", **OPTIONS)
    return [await outcome(of_anthropic.messages.create(model="m", max_tokens=8, messages=MESSAGES)),
            await outcome(of_openai.chat.completions.create(model="m", messages=MESSAGES))]


print("anthropic", version("anthropic"), "openai", version("openai"))
print("timeout=1, max_retries=2, and a server that answers 429 with Retry-After: 3600")
by_anthropic, by_openai = asyncio.run(both())
for name, (found, times) in {"anthropic": by_anthropic, "openai": by_openai}.items():
    print(f"{name}: {found}; the server was asked {times} time(s)")
unchanged = by_anthropic == ("still waits after 10 s", 1) and by_openai == ("RateLimitError", 1)
raise SystemExit(0 if unchanged else "a long Retry-After is treated otherwise now")
PYTHON
