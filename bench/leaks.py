"""What thousands of programs leave behind: processes, zombies, namespaces, mounts, files, descriptors, kernel objects.

`python -m bench.leaks [--runs N]` prints one JSON object: the state before and after, and what differs. The programs
are a mixture: some end well, some throw, leave threads behind, fill their folder, leave by `os._exit`, kill what they
can, or run into their limit; one in a hundred is JavaScript's, which has a sandbox of its own start.
"""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bench.machine import describe_machine
from eval.sandbox.run import run_program
from eval.sandbox.toolchains import missing_toolchains

PROGRAMS = (
    "x = 1",
    "raise ValueError",
    "import threading; threading.Thread(target=input, daemon=True).start()",
    "for n in range(50): open(f'/tmp/{n}', 'w').write('x' * 1000)",
    "import os; os._exit(3)",
    "import os; os.kill(-1, 9)",
    "import socket; a, b = socket.socketpair()",
    "import os; os.mkdir('d', 0o000); os.symlink('/', 'link')",
)
NEVER_ENDING = "while True: pass"
KERNEL_OBJECTS = ("pid_namespace", "mnt_cache", "net_namespace", "user_namespace", "task_struct")


def state() -> dict[str, Any]:
    """Of this process's tree, its temporary folder and, where it may be read, the kernel's memory."""
    pending, tree = [os.getpid()], []
    while pending:
        for children in Path(f"/proc/{pending.pop()}/task").glob("*/children"):
            pending += (found := [int(child) for child in children.read_text().split()])
            tree += found
    stats = [Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split() for process in tree]
    kinds = ("pid", "mnt", "net", "ipc", "user")
    namespaces = {kind: len({Path(f"/proc/{process}/ns/{kind}").readlink() for process in tree}) for kind in kinds}
    return {
        "processes": len(tree),
        "zombies": sum(fields[0] == "Z" for fields in stats),
        "namespaces": namespaces,
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "mounts": len(Path("/proc/mounts").read_text().splitlines()),
        "files": len(list(Path(tempfile.gettempdir()).glob("wavecoder*"))),
        "resident_mb": round(sum(int(fields[21]) for fields in stats) * 4096 / 2**20, 1),
        "kernel_objects": kernel_objects(),
    }


def kernel_objects() -> dict[str, int]:
    """Objects in use in the whole machine; empty where the kernel does not say."""
    try:
        lines = Path("/proc/slabinfo").read_text().splitlines()
    except OSError:
        return {}
    return {fields[0]: int(fields[1]) for fields in map(str.split, lines) if fields[0] in KERNEL_OBJECTS}


def run(number: int) -> str:
    """One program of the mixture."""
    if number % 100 == 0 and not missing_toolchains(["javascript"]):
        return run_program("setInterval(() => {}, 1); process.exit(0)", language="javascript", timeout=10.0,
                           memory_mb=512).outcome  # fmt: skip
    if number % 500 == 1:
        return run_program(NEVER_ENDING, language="python", timeout=0.5, memory_mb=512).outcome
    return run_program(PROGRAMS[number % len(PROGRAMS)], language="python", timeout=10.0, memory_mb=512).outcome


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    options = parser.parse_args()
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        list(pool.map(run, range(200)))  # all is started that stays
        time.sleep(1.0)
        before, begun = state(), time.perf_counter()
        outcomes = Counter(pool.map(run, range(options.runs)))
        seconds = time.perf_counter() - begun
        deadline = time.monotonic() + 10
        while (after := state())["processes"] > before["processes"] and time.monotonic() < deadline:
            time.sleep(0.2)
    found = {
        "bench": "leaks",
        "machine": describe_machine(),
        "runs": options.runs,
        "seconds": round(seconds, 1),
        "outcomes": outcomes,
        "before": before,
        "after": after,
        "left": {name: [before[name], after[name]] for name in before if before[name] != after[name]},
    }
    print(json.dumps(found))


if __name__ == "__main__":
    main()
