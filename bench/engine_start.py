"""CPU time and memory of one engine's start behind Ray Serve, by process: `python -m bench.engine_start`.

From nothing to the first answer, with the demo's settings and without a dashboard. It prints one JSON object: seconds
until the engine was ready, CPU seconds of the job, of vLLM's engine and of each part of Ray, the job's largest memory,
and which of the large libraries the job itself has imported.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import time

from bench.generation import RECIPE, WARM_UP, cpu_seconds
from bench.machine import describe_machine
from core.chat import ChatRequest
from ray_jobs.run.models import resolve_model

LARGE = ("vllm", "ray.llm", "torch", "transformers", "sklearn")


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="package:smollm2-135m-instruct")
    source = resolve_model(parser.parse_args().model, "--model")  # a first call converts it
    from ray_jobs.run.config import load_config
    from ray_jobs.serve import client_of, serving
    from serve.gateway.settings import free_port

    config = load_config(RECIPE, ["ray.dashboard=false", f"serve.port={free_port()}"])
    begun = time.monotonic()
    with serving(config, {"m": source}) as upstream:
        ready = time.monotonic() - begun
        asyncio.run(client_of(upstream, "m")(ChatRequest("m", **WARM_UP)))
        spent = {name: round(seconds, 1) for name, seconds in cpu_seconds().most_common()}
    found = {
        "bench": "engine_start",
        "ready_s": round(ready, 1),
        "cpu_s": spent,
        "job_mib": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10,
        "imported": [name for name in LARGE if name in sys.modules],
    }
    print(json.dumps(found | {"machine": describe_machine()}))


if __name__ == "__main__":
    main()
