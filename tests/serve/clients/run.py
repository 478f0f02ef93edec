"""Foreign clients against a gateway: `python -m tests.serve.clients.run --folder FOLDER [--upstream URL]`.

FOLDER holds the clients, installed once (they are no dependency of the project):

    python3 -m venv FOLDER/venv && FOLDER/venv/bin/pip install langchain-openai litellm llm
    cd FOLDER && npm install openai @anthropic-ai/sdk ai @ai-sdk/openai-compatible

Without --upstream they ask a gateway before the scripted upstream; with it, one before a real engine, which must serve
a model named `wavecoder`. A client that is not installed is left out. The exit code is 1 if a step fails.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from tests.serve.clients.scripted import Scripted
from tests.serve.stub import running_gateway, stub_upstream

HERE = Path(__file__).parent
PYTHON = {"with_langchain.py": "langchain_openai", "with_litellm.py": "litellm", "with_llm.py": "llm"}
NODE = {"with_openai.mjs": "openai", "with_anthropic.mjs": "@anthropic-ai/sdk", "with_ai_sdk.mjs": "ai"}
OWN = ("with_openai.py", "with_anthropic.py")


def commands(folder):
    """Script → the command that runs it, for the clients that are there."""
    found = {script: [sys.executable] for script in OWN}
    if folder is not None:
        site = [*folder.glob("venv/lib/python*/site-packages")]
        found |= {script: [str(folder / "venv/bin/python")] for script, package in PYTHON.items()
                  if any((each / package).exists() for each in site)}  # fmt: skip
        found |= {script: ["node"] for script, package in NODE.items() if (folder / "node_modules" / package).exists()}
    return found


def ask(script, command, url, key, mode, folder):
    """What a client's steps gave: a list of (step, result)."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"NODE_CLIENTS": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [*command, str(HERE / script), url, key, mode], env=environment, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
    results = [(line["step"], line["result"]) for line in lines]
    if done.returncode:
        results.append(("the script", f"failed: {' '.join(done.stderr.split())[-300:]}"))
    return results


def run(folder, upstream, only):
    """All clients; the number of failed steps."""
    failed = 0
    with ExitStack() as stack:
        url = upstream or stack.enter_context(stub_upstream(Scripted())).url
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway = stack.enter_context(running_gateway(url, place))
        for script, command in commands(folder).items():
            if only and script not in only:
                continue
            begun = time.monotonic()
            mode = "engine" if upstream else "scripted"
            results = ask(script, command, gateway.url, gateway.secret, mode, folder)
            bad = [(step, result) for step, result in results if result.startswith("failed")]
            refused = sum(result.startswith("refused") for _, result in results)
            failed += len(bad) + (not results)
            passed = len(results) - len(bad) - refused
            seconds = time.monotonic() - begun
            print(f"{script:20} {passed:3} passed {refused:2} refused {len(bad):2} failed {seconds:6.1f} s")
            for step, result in bad:
                print(f"    {step}: {result}")
    return failed


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the foreign clients are installed")
    parser.add_argument("--upstream", help="URL, ending in /v1, of a real engine that serves `wavecoder`")
    parser.add_argument("--only", nargs="*", default=(), help="scripts, such as with_openai.mjs")
    given = parser.parse_args()
    sys.exit(bool(run(given.folder and given.folder.absolute(), given.upstream, given.only)))


if __name__ == "__main__":
    main()
