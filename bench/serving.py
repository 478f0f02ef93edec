"""Serve: `vllm bench serve` against bare `vllm serve` and against our endpoint, same model and flags, taking turns.

`python -m bench.serving [--rounds N]` prints one JSON object. Ours is what `wavecoder serve` starts: gateway with API
keys, Ray Serve, the engine; a process of its own, as bare vLLM is. The client is vLLM's, in this process.

- `rate`: output tokens/s of a closed loop of `CLIENTS` clients; the bar is 0.97 × bare.
- `first`: milliseconds to the first token of one client alone, the median; the bar is 5 ms over bare.
- `cpu_ms_per_token`: CPU time of all of a side's processes over its closed loops, which other work on the machine does
  not touch as it does the clock; `parts` says which processes took it.
- `overload`: requests come at twice the rate that ours just bore; what was answered, refused with 429, or lost.

A turn of each side makes a pair on the same prompts, so that a busy machine slows both alike.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import io
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import psutil

from bench.machine import describe_machine
from ray_jobs.run.models import resolve_model
from serve.engines.settings import EngineConfig, engine_arguments, engine_environment
from serve.gateway.keys import create_key
from serve.gateway.settings import GatewayConfig, free_port

NAME = "model"
PARTS = ("VLLM::", "ServeReplica:wavecoder", "ProxyActor", "raylet")
"""Processes that are told apart; "front" is the process that was started: bare vLLM's API server, or our gateway."""
CLIENTS, REQUESTS, INPUT_TOKENS, OUTPUT_TOKENS = 16, 16, 32, 32
FIRST_REQUESTS, OVERLOAD_REQUESTS, IN_FLIGHT = 24, 64, 32
ENGINE = EngineConfig(max_num_seqs=CLIENTS, max_model_len=1024)


def serve_ours(source: str, port: int, keys: str) -> None:
    """What `wavecoder serve` starts, for any model; until it is told to stop."""
    from ray_jobs.run.config import load_config
    from ray_jobs.serve import serving
    from serve.gateway.app import Gateway
    from serve.gateway.server import server_for

    inner = free_port()
    engine = json.dumps({"engine": ENGINE.model_dump()} | {"port": inner})
    config = load_config("configs/demo.yaml", [f"serve={engine}", "ray.dashboard=false"])
    settings = GatewayConfig(keys=keys, max_in_flight=IN_FLIGHT, access_log=f"{keys}.log")
    with serving(config, {NAME: source}) as upstream:
        server_for(Gateway(settings, ENGINE.max_model_len, upstream), "127.0.0.1", port, settings).run()


def bare_command(source: str, port: int) -> list[str]:
    """`vllm serve` with the flags that our replicas have, by its module: the command asks for a package named vllm."""
    flags: list[str] = []
    for name, value in engine_arguments(ENGINE).items():
        flag = name.replace("_", "-")
        flags += [f"--{flag}" if value else f"--no-{flag}"] if isinstance(value, bool) else [f"--{flag}", str(value)]
    launcher = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model", source]
    return [*launcher, "--host", "127.0.0.1", "--port", str(port), "--served-model-name", NAME, *flags]


class Side(NamedTuple):
    """A server under test."""

    url: str
    process: psutil.Process

    def cpu_s(self) -> Counter[str]:
        """CPU seconds so far of its process and all below it, by what they are."""
        spent: Counter[str] = Counter()
        for process in [self.process, *self.process.children(recursive=True)]:
            with contextlib.suppress(psutil.NoSuchProcess):
                title = process.cmdline()[0] if process.cmdline() else process.name()
                known = next((part for part in PARTS if part in title), "")
                name = known or ("front" if process == self.process else "others")
                spent[name] += sum(process.cpu_times()[:2])
        return spent


@contextmanager
def running(commands: dict[str, list[str]], ports: dict[str, int], folder: Path) -> Iterator[dict[str, Side]]:
    """Servers that answer, started at the same time, by name. Their words go to files in `folder`."""
    environment = os.environ | engine_environment(ENGINE) | {"HF_HUB_OFFLINE": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
    environment["RAY_worker_niceness"] = "0"  # bare vLLM does not give way to others either
    processes = {}
    for name, command in commands.items():
        with (folder / f"{name}.log").open("w") as file:
            processes[name] = subprocess.Popen(command, stdout=file, stderr=file, env=environment)
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    deadline = time.monotonic() + 240
    try:
        for name, process in processes.items():
            while not _answers(urls[name]):
                if process.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"{name} did not start: {(folder / f'{name}.log').read_text()[-1500:]}")
                time.sleep(0.5)
        yield {name: Side(urls[name], psutil.Process(process.pid)) for name, process in processes.items()}
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(30)
            process.kill()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2, trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


def ask(url: str, model: str, requests: int, seed: int, **flags: object) -> dict[str, Any]:
    """One run of `vllm bench serve`; its figures."""
    from vllm.benchmarks.serve import add_cli_args, main_async
    from vllm.utils.argparse_utils import FlexibleArgumentParser

    parser = FlexibleArgumentParser()
    add_cli_args(parser)
    given = {"base-url": url, "endpoint": "/v1/chat/completions", "backend": "openai-chat", "model": model} | {
        "served-model-name": NAME, "tokenizer": model, "dataset-name": "random", "num-prompts": requests,
        "random-input-len": INPUT_TOKENS, "random-output-len": OUTPUT_TOKENS, "seed": seed, "temperature": 0,
        "ready-check-timeout-sec": 0,
    }  # fmt: skip
    given |= {name.replace("_", "-"): value for name, value in flags.items()}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    with contextlib.redirect_stdout(io.StringIO()):  # its tables; this bench's last line is its product
        return asyncio.run(main_async(parser.parse_args([*words, "--ignore-eos", "--disable-tqdm", "--save-detailed"])))


def compare(sides: dict[str, Side], model: str, rounds: int) -> dict[str, Any]:
    """Rates and first tokens of both, pair by pair, the first to go changing; then ours at twice its rate."""
    rates: dict[str, list[float]] = {name: [] for name in sides}
    firsts: dict[str, list[float]] = {name: [] for name in sides}
    spent: dict[str, Counter[str]] = {name: Counter() for name in sides}
    for side in sides.values():
        ask(side.url, model, 2, 1000)  # warm
    per_s: list[float] = []
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            before = sides[name].cpu_s()
            whole = ask(sides[name].url, model, REQUESTS, number, max_concurrency=CLIENTS)
            spent[name] += sides[name].cpu_s() - before
            rates[name].append(whole["output_throughput"])
            alone = ask(sides[name].url, model, FIRST_REQUESTS, 100 + number, max_concurrency=1, random_output_len=4)
            firsts[name].append(alone["median_ttft_ms"])
            told = f"{name}: {rates[name][-1]:.1f} tokens/s, first token after {firsts[name][-1]:.1f} ms"
            print(told, file=sys.stderr, flush=True)
            assert whole["failed"] == alone["failed"] == 0, whole["errors"]
            if name == "ours":
                per_s.append(whole["request_throughput"])
    rate, tokens = statistics.median(per_s), rounds * REQUESTS * OUTPUT_TOKENS
    many = ask(sides["ours"].url, model, OVERLOAD_REQUESTS, 500, request_rate=2 * rate, burstiness=1)
    ratios = [ours / bare for ours, bare in zip(rates["ours"], rates["bare"], strict=True)]
    extra = [ours - bare for ours, bare in zip(firsts["ours"], firsts["bare"], strict=True)]
    return {
        "tokens_per_s": {name: [round(value, 1) for value in values] for name, values in rates.items()},
        "first_ms": {name: [round(value, 1) for value in values] for name, values in firsts.items()},
        "times_bare": round(statistics.median(ratios), 3),
        "first_ms_more": round(statistics.median(extra), 1),
        "cpu_ms_per_token": {name: round(1000 * parts.total() / tokens, 2) for name, parts in spent.items()},
        "parts": {
            name: {part: round(1000 * seconds / tokens, 2) for part, seconds in parts.most_common()}
            for name, parts in spent.items()
        },
        "overload": {
            "requests_per_s": round(2 * rate, 2),
            "answered": many["completed"],
            "refused": sum(error == "Too Many Requests" for error in many["errors"]),
            "lost": sum(error not in {"", "Too Many Requests"} for error in many["errors"]),
            "tokens_per_s": round(many["output_throughput"], 1),
            "first_ms": round(many["median_ttft_ms"], 1),
        },
    }


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--ours", type=int, metavar="PORT", help=argparse.SUPPRESS)
    parser.add_argument("--keys", help=argparse.SUPPRESS)
    options = parser.parse_args()
    source = resolve_model(options.model, "--model")
    if options.ours:
        serve_ours(source, options.ours, options.keys)
        return
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the servers are ended, too
    with tempfile.TemporaryDirectory() as folder:
        keys, ports = Path(folder, "keys.json"), {"bare": free_port(), "ours": free_port()}
        os.environ["OPENAI_API_KEY"], _ = create_key(keys, name="bench")  # vLLM's client sends it
        ours = [sys.executable, "-m", "bench.serving", "--model", options.model, "--ours", str(ports["ours"])]
        commands = {"bare": bare_command(source, ports["bare"]), "ours": [*ours, "--keys", str(keys)]}
        with running(commands, ports, Path(folder)) as sides:
            found = compare(sides, source, options.rounds)
    print(json.dumps({"bench": "serving", "model": options.model, "machine": describe_machine()} | found))


if __name__ == "__main__":
    main()
