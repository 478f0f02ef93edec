"""CPU time of commands that only look, beside another checkout in turns: `python -m bench.startup [OTHER_CHECKOUT]`."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TURNS = 3
COMMANDS = {"help": ["--help"], "version": ["--version"]}
COMMANDS |= {job: [job, "--help"] for job in ("keys", "diff", "select", "generate", "pipeline")}
HERE = Path(__file__).parents[1]


def cpu_seconds(checkout: Path, arguments: list[str]) -> float:
    """User and system time of one call."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    program = f"import sys; sys.path.insert(0, {str(checkout)!r}); from ray_jobs.cli import main; sys.exit(main())"
    subprocess.run([sys.executable, "-c", program, *arguments], check=False, capture_output=True, cwd=checkout)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Print one JSON object: checkout → command → median and least CPU seconds."""
    checkouts = {"here": HERE} | ({"other": Path(sys.argv[1]).resolve()} if len(sys.argv) > 1 else {})
    with tempfile.TemporaryDirectory() as run:
        (Path(run) / "collect").mkdir()
        commands = COMMANDS | {"inspect": ["inspect", "collect", "--run-dir", run]}
        found: dict[str, dict[str, list[float]]] = {name: {each: [] for each in commands} for name in checkouts}
        for _ in range(TURNS):
            for command, arguments in commands.items():
                for name, checkout in checkouts.items():
                    found[name][command].append(cpu_seconds(checkout, arguments))
    figures = {
        name: {
            command: [round(statistics.median(seconds), 3), round(min(seconds), 3)] for command, seconds in own.items()
        }
        for name, own in found.items()
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
