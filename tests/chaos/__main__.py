"""Chaos over the stages of a tiny recipe, seed by seed: is a row lost or doubled, does a byte differ?

`python -m tests.chaos [--seeds N …] [--every S] [--engine]` needs no packaged teacher and no GPU. The run directory lies
in a bucket of moto's server, which can be cut off; the teacher answers over HTTP by a script; the student is a tiny Llama
with random weights. The stages are one job (`tests.chaos.job`), so that a start of Ray is paid once. `--engine` adds
`evaluate`, whose replicas can be struck too. It prints a JSON line for each seed. What it found is in docs/cluster.md.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path

from bench.random_llama import write_random_llama
from ray_jobs.cluster.chaos import compare, is_same, run_struck, schedule
from ray_jobs.cluster.chaos_store import store_door
from ray_jobs.run.rundir import RunDir
from tests.object_store import ObjectStore
from tests.scripted_teacher import ScriptedTeacher, completion, exercise

STAGES = ("collect", "embed", "select", "generate", "codeocean", "train")


def recipe(teacher, model):
    """Every stage with two workers, two parts, two rounds or two checkpoints at least: something to lose."""
    role = {"model": "teacher", "endpoint": teacher}
    return {
        "ray": {"num_cpus": 4, "offline": True, "dashboard": False},
        "collect": {
            "sources": [{"kind": "folder", "path": "stdlib", "languages": ["python"]}], "sample": 0.02,
            "rows_per_part": 32, "filters": {"max_code_chars": 1200},
        },
        "embed": {"model": "package:all-minilm-l6-v2", "actors": 2},
        "select": {"size": 24, "shards": 2},
        "generate": {"generator": role, "discriminator": role, "round_size": 8, "attempts": 1, "concurrency": 4},
        "codeocean": {"quality": None},
        "train": {"model": model, "workers": 2, "epochs": 2, "max_length": 1024, "global_batch": 4,
                  "checkpoint_every": 2},
        "serve": {"engine": {"dtype": "float32", "max_model_len": 2048, "enforce_eager": True, "max_num_seqs": 1,
                             "extra": {"enable_prefix_caching": False}}},
        "evaluate": {"benchmark": "humaneval", "limit": 4, "max_tokens": 24}, "evaluate_models": ["tuned"],
    }  # fmt: skip


def rows_of(run, stages):
    """Stage → rows out of it."""
    return {stage: run.manifest(stage)["rows_out"] for stage in stages}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=list(range(20)))
    parser.add_argument("--kill", nargs="+", default=["driver", "node", "worker", "store"])
    parser.add_argument("--every", type=float, default=30, help="seconds between two kills, about")
    parser.add_argument("--engine", action="store_true", help="evaluate, too: starts vLLM")
    options = parser.parse_args()
    stages = [*STAGES, *(["evaluate"] if options.engine else [])]
    folder, store = Path(tempfile.mkdtemp(prefix="chaos-")), ObjectStore()
    os.environ.update(store.environment)
    same = True
    with ScriptedTeacher(lambda _, body: completion(exercise(body))).running() as teacher, store_door() as door:
        path = folder / "recipe.yaml"
        path.write_text(json.dumps(recipe(teacher, write_random_llama(folder / "llama", "tiny"))))
        bucket = store.bucket()
        print(json.dumps({"logs": str(folder), "bucket": bucket, "teacher": teacher}), flush=True)

        def run(name, kills):
            command = [sys.executable, "-m", "tests.chaos.job", str(path), f"{bucket}/{name}", *stages]
            return run_struck(["stages"], lambda _: command, kills, folder / f"{name}.log", door.shut)

        whole = run("undisturbed", [])
        undisturbed = RunDir(f"{bucket}/undisturbed")
        print(json.dumps({"undisturbed_s": whole.seconds, "rows": rows_of(undisturbed, stages)}), flush=True)
        for seed in options.seeds:
            name = f"seed-{seed}"
            struck = run(name, schedule(seed, options.kill, options.every, 3600))
            compared = compare(undisturbed, RunDir(f"{bucket}/{name}"), stages)
            same &= is_same(compared)
            kills = [
                f"{kill['kind']} in {kill['at_s']:.0f} s" for kill in struck.kills if {"process", "away_s"} & set(kill)
            ]
            print(json.dumps({
                "seed": seed, "same": is_same(compared), "seconds": struck.seconds, "starts": struck.starts["stages"],
                "kills": kills, "without_victim": len(struck.kills) - len(kills),
                "differ": {stage: each for stage, each in compared.items() if not is_same({stage: each})},
            }), flush=True)  # fmt: skip
    store.stop()
    raise SystemExit(not same)


main()
