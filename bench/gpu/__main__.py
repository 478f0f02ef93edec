"""An hour of a GPU in one command: every GPU bar of the project in order of worth, within 25 minutes.

`python -m bench.gpu [--out DIR] [--only NAME …]` runs each step in a process of its own with its limit, and writes
`DIR/results.json` and `DIR/table.md` (the table of docs/benchmarks.md) after each. Steps that have a figure in DIR are
not run again. A step whose modules are missing is left out with a line. The MFU steps keep a profile when they fall
short. Ray and vLLM are needed by `generation` alone; `bench/gpu_wheels.txt` lists what else a bare card needs.

`--rehearse` runs the same steps at tiny sizes on a CPU, and writes what each imported.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bench.gpu.steps import STEPS, Step, gpu_tests

ROOT = Path(__file__).parents[2]
BUDGET_S = 25 * 60.0
MAX_ERROR_CHARS = 600


def all_steps() -> list[Step]:
    """The steps, the tests first."""
    marked = sorted(file for file in (ROOT / "tests").rglob("test_*.py") if "mark.gpu" in file.read_text("utf-8"))
    return [gpu_tests(tuple(file.relative_to(ROOT).as_posix() for file in marked)), *STEPS]


def run_step(step: Step, out: Path, limit_s: float, *, rehearse: bool = False) -> dict[str, Any]:
    """Run one step; returns its row of the results."""
    arguments = [part.replace("{out}", str(out)) for part in (step.rehearsal if rehearse else step.command)]
    row: dict[str, Any] = {"name": step.name, "command": ["python", *arguments], "bar": step.bar}
    if not arguments:
        return row | {"status": "rehearsed by others"}
    missing = [module for module in step.needs if find_spec(module) is None]
    if missing:
        return row | {"status": f"left out: needs {', '.join(missing)}"}
    imported = out / f"imports-{step.name.replace(' ', '-')}.txt"
    if rehearse and arguments[0] == "-m":
        arguments = ["-m", "bench.gpu.imports", str(imported), *arguments[1:]]
    code, text, error, seconds = run_alone([sys.executable, *arguments], limit_s)
    row["seconds"] = round(seconds, 1)
    if code is None:
        return row | {"status": f"cut off after {limit_s:.0f} s", "error": error}
    if code != 0:
        return row | {"status": f"failed with code {code}", "error": error or text[-MAX_ERROR_CHARS:]}
    figures = last_object(text)
    row |= {"figure": step.figure(figures), "result": figures}
    if rehearse:
        return row | {"status": "rehearsed"}
    return row | {"status": "met" if step.meets(figures) else "missed"}


def run_alone(command: list[str], limit_s: float) -> tuple[int | None, str, str, float]:
    """Exit code (None: it ran past its limit), what it printed, the end of its errors, seconds."""
    begun = time.monotonic()
    environment = os.environ | {"PYTHONUNBUFFERED": "1", "HF_HUB_OFFLINE": "1"}
    with subprocess.Popen(command, cwd=ROOT, env=environment, text=True, start_new_session=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:  # fmt: skip
        try:
            text, error = child.communicate(timeout=limit_s)
            code: int | None = child.returncode
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            text, error = child.communicate()
            code = None
    return code, text, error.strip()[-MAX_ERROR_CHARS:], time.monotonic() - begun


def last_object(text: str) -> dict[str, Any]:
    """The JSON object in the last line that is one; empty without."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                found: dict[str, Any] = json.loads(line)
            except ValueError:
                continue
            return found
    return {}


def table_of(rows: list[dict[str, Any]]) -> str:
    """Markdown, one row a step."""
    lines = ["| step | command | figure | bar | |", "|---|---|---:|---|---|"]
    for row in rows:
        value = row.get("figure")
        shown = "" if value is None else f"{value:.4g}"
        lines.append(f"| {row['name']} | `{' '.join(row['command'])}` | {shown} | {row['bar']} | {row['status']} |")
    devices = {machine["device"] for row in rows if (machine := row.get("result", {}).get("machine"))}
    return "\n".join([*lines, "", f"Card: {', '.join(sorted(devices)) or 'none was named'}.", ""])


def write(out: Path, rows: list[dict[str, Any]]) -> None:
    """Both files, each whole or not at all."""
    for name, text in (("results.json", json.dumps(rows, indent=2) + "\n"), ("table.md", table_of(rows))):
        making = out / f".{name}"
        making.write_text(text, encoding="utf-8")
        making.replace(out / name)


def explain_miss(step: Step, row: dict[str, Any], out: Path, limit_s: float) -> dict[str, Any]:
    """The row with what the profiling command of a step that fell short tells."""
    command = [sys.executable, *(part.replace("{out}", str(out)) for part in step.when_missed)]
    code, text, error, _ = run_alone(command, limit_s)
    return row | {"profile": last_object(text) if code == 0 else error or "cut off"}


def main() -> None:
    """Run what is open, as long as the budget lasts."""
    steps = {step.name: step for step in all_steps()}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--only", nargs="+", choices=steps, default=list(steps), metavar="NAME", help=", ".join(steps))
    parser.add_argument("--budget-s", type=float, default=BUDGET_S, help="seconds for all steps together")
    parser.add_argument("--rehearse", action="store_true", help="tiny sizes on a CPU")
    options = parser.parse_args()
    out: Path = options.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    file, ends = out / "results.json", time.monotonic() + options.budget_s
    rows = {row["name"]: row for row in (json.loads(file.read_text("utf-8")) if file.is_file() else [])}
    for name in options.only:
        step, left = steps[name], ends - time.monotonic()
        if rows.get(name, {}).get("status") in {"met", "missed"}:
            continue
        if left < 1:
            print(f"{name}: no time left", flush=True)
            continue
        row = run_step(step, out, min(step.limit_s, left), rehearse=options.rehearse)
        rows[name] = row
        write(out, list(rows.values()))
        print(f"{name}: {row['status']} {row.get('figure', '')}", flush=True)
        left = ends - time.monotonic()
        if row["status"] == "missed" and step.when_missed and left > 1:
            rows[name] = explain_miss(step, row, out, min(120.0, left))
            write(out, list(rows.values()))
    failed = [name for name in options.only if rows.get(name, {}).get("status", "").startswith(("failed", "cut"))]
    print(json.dumps({"bench": "gpu", "out": str(out), "failed": failed}))
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
