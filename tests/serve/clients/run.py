"""Foreign clients against a gateway: `python -m tests.serve.clients.run [--folder FOLDER] [--engine | --upstream URL]`.

FOLDER holds the clients, installed once by `python -m tests.serve.clients.install FOLDER`; without it only those run
that the project itself has. All ask one gateway, two at a time. It is before the scripted upstream, or before a real
engine that serves a model named `wavecoder`: at --upstream, or one that --engine starts. A client that is not installed
is left out. The exit code is 1 if a step fails.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from pathlib import Path

import httpx

from tests.serve.clients.scripted import Scripted
from tests.serve.stub import running_gateway, stub_upstream, until

HERE = Path(__file__).parent
PYTHON = {"with_litellm.py": "litellm", "with_llm.py": "llm", "with_langchain.py": "langchain_openai"}
NODE = {"with_openai.mjs": "openai", "with_anthropic.mjs": "@anthropic-ai/sdk", "with_ai_sdk.mjs": "ai"}
OWN = ("with_openai.py", "with_anthropic.py")
AT_A_TIME = 2


def commands(folder):
    """Script → the command that runs it, for the clients that are there; the slowest first."""
    found = {}
    if folder is not None:
        found |= {script: [sys.executable] for script, package in PYTHON.items()
                  if (folder / "python" / package).exists()}  # fmt: skip
        found |= {script: ["node"] for script, package in NODE.items() if (folder / "node_modules" / package).exists()}
    return found | {script: [sys.executable] for script in OWN}


def ask(script, command, url, key, mode, folder):
    """What a client's steps gave: a list of (step, result)."""
    environment = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    environment |= {"NODE_CLIENTS": str(folder), "PYTHONDONTWRITEBYTECODE": "1"}
    if script in PYTHON:
        environment["PYTHONPATH"] = str(folder / "python")
    done = subprocess.run(
        [*command, str(HERE / script), url, key, mode], env=environment, capture_output=True, text=True, timeout=600,
        check=False,
    )  # fmt: skip
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"step"')]
    results = [(line["step"], line["result"]) for line in lines]
    if done.returncode:
        results.append(("the script", f"failed: {' '.join(done.stderr.split())[-300:]}"))
    return results


def ask_all(chosen, gateway, mode, folder):
    """(script, its results, seconds) as each is done; two clients beside each other."""

    def timed(script):
        begun = time.monotonic()
        found = ask(script, chosen[script], gateway.url, gateway.secret, mode, folder)
        return script, found, time.monotonic() - begun

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        for done in as_completed([pool.submit(timed, script) for script in chosen]):
            yield done.result()


@contextlib.contextmanager
def small_engine():
    """The URL of bare vLLM with the small model, while it runs."""
    from bench.serving import bare_command
    from ray_jobs.run.models import resolve_model
    from serve.engines.settings import EngineConfig, engine_environment
    from serve.gateway.settings import free_port

    port = free_port()
    flags = ["--enable-auto-tool-choice", "--tool-call-parser", "hermes"]
    command = bare_command(resolve_model("package:smollm2-135m-instruct", "--engine"), port)
    command[command.index("--served-model-name") + 1] = "wavecoder"
    process = subprocess.Popen([*command, *flags], env=os.environ | engine_environment(EngineConfig()))
    url = f"http://127.0.0.1:{port}"

    def answers():
        assert process.poll() is None, "the engine ended"
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"{url}/health", trust_env=False).status_code == 200
        return False

    try:
        until(answers, 600)
        yield f"{url}/v1"
    finally:
        process.terminate()
        process.wait()


def run(folder, upstream, only, *, engine=False):
    """All clients; the number of failed steps."""
    failed = 0
    with ExitStack() as stack:
        upstream = stack.enter_context(small_engine()) if engine else upstream
        url = upstream or stack.enter_context(stub_upstream(Scripted())).url
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        gateway = stack.enter_context(running_gateway(url, place, context=1024))
        chosen = {script: command for script, command in commands(folder).items() if not only or script in only}
        begun = time.monotonic()
        for script, results, seconds in ask_all(chosen, gateway, "engine" if upstream else "scripted", folder):
            bad = [(step, result) for step, result in results if result.startswith("failed")]
            refused = sum(result.startswith("refused") for _, result in results)
            failed += len(bad) + (not results)
            passed = len(results) - len(bad) - refused
            print(f"{script:20} {passed:3} passed {refused:2} refused {len(bad):2} failed {seconds:6.1f} s", flush=True)
            for step, result in bad:
                print(f"    {step}: {result}")
        print(f"{time.monotonic() - begun:.1f} s in all")
    return failed


def main():
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the foreign clients are installed")
    parser.add_argument("--upstream", help="URL, ending in /v1, of a real engine that serves `wavecoder`")
    parser.add_argument("--engine", action="store_true", help="start vLLM with the small model, and ask that")
    parser.add_argument("--only", nargs="*", default=(), help="scripts, such as with_openai.mjs")
    given = parser.parse_args()
    folder = given.folder and given.folder.absolute()
    sys.exit(bool(run(folder, given.upstream, given.only, engine=given.engine)))


if __name__ == "__main__":
    main()
