"""`wavecoder sandbox check`: what this machine offers to keep programs in, and the attack suite against it."""

from __future__ import annotations

import os
import sys

from core.languages import EXECUTED
from eval.sandbox.attack_suite import Result, run_suite
from eval.sandbox.cgroups import delegated
from eval.sandbox.isolation import landlock_version, seccomp_filter
from eval.sandbox.machine_speed import slowness
from eval.sandbox.run import isolation
from eval.sandbox.toolchains import missing_toolchains
from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.run.command_line import Actions, option, parse_action, spread, words_of


def check(languages: list[str]) -> None:
    """Print the table; raises where there is no isolation or an attack got through.

    Args:
        languages: those to attack with.
    """
    missing = missing_toolchains(languages)
    offered = isolation()
    parent, reason = delegated()
    rows = [
        ("isolation", offered.name),
        ("system calls", "filtered (seccomp)" if seccomp_filter() else "not filtered: unknown processor"),
        ("Landlock", f"version {landlock_version()}" if landlock_version() else "none"),
        ("warm starts", "fork server" if offered.forks else "none: a new interpreter for each program"),
        ("control groups", str(parent) if parent else f"none: {reason}; limits are of each process"),
        ("processors", str(os.cpu_count())),
        ("slower than the reference", f"{slowness():.2f} times; time-outs grow with it"),
    ]
    rows += [(language, missing.get(language, "ready")) for language in languages]
    print("\n".join(f"{name:26} {value}" for name, value in rows))
    results = run_suite([language for language in languages if language not in missing])
    print(f"\n{'language':11} {'kind':9} {'outcome':10} {'':5} attack")
    for result in results:
        print(_line(result))
    holes = [result for result in results if not result.stopped]
    attacks = sum(result.attack.kind != "honest" for result in results)
    skipped = f"; skipped: {', '.join(missing)}" if missing else ""
    print(f"\n{attacks} attacks, {len(holes)} failures{skipped}")
    if holes:
        raise RuntimeError(f"{len(holes)} programs of the suite did not end as they must; do not run models' code here")


def _line(result: Result) -> str:
    attack = result.attack
    sign = "ok" if result.stopped else "HOLE"
    return f"{attack.language:11} {attack.kind:9} {result.outcome.outcome:10} {sign:5} {attack.name}"


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job."""
    words = spread(sys.argv[1:] if arguments is None else arguments, ("--languages",))
    attacked = option(words_of(*EXECUTED), "those to attack with", list(EXECUTED), metavar="NAME[,NAME…]")
    actions: Actions = {"check": ("print what it offers, and attack it", lambda: {"languages": attacked})}
    options = parse_action("sandbox", JOBS["sandbox"], actions, words)
    return run_guarded("sandbox", lambda _: check([language.value for language in options.languages]))


if __name__ == "__main__":
    sys.exit(main())
