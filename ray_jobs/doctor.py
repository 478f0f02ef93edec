"""What is wrong or unsafe with this machine, or, where RAY_ADDRESS names a cluster, with each of its nodes.

For a cluster from elsewhere: `wavecoder submit --address URL -- doctor`.
"""

from __future__ import annotations

import dataclasses
import datetime
import json
import os
import sys
import time
from pathlib import Path

from rich.console import Console
from rich.table import Table

from ray_jobs.cli import JOBS, run_guarded
from ray_jobs.cluster.job_api import find_token
from ray_jobs.cluster.node_checks import Finding, judge_access, judge_node, node_facts
from ray_jobs.cluster.open_api import find_exposure
from ray_jobs.run.command_line import flag, option, parse

Report = dict[str, list[Finding]]


def examine_here(folders: list[str]) -> Report:
    """Findings on this machine alone."""
    facts = node_facts(folders)
    return {facts["host"]: judge_node(facts, time.time())}


def examine_cluster(folders: list[str]) -> Report:
    """Findings on the cluster as a whole, and on each of its nodes."""
    import ray
    from ray._private.authentication.authentication_utils import is_token_auth_enabled
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from ray_jobs.cluster.connect import dashboard_port, join_cluster

    join_cluster({})
    file = Path(os.environ.get("RAY_AUTH_TOKEN_PATH") or "~/.ray/auth_token").expanduser()
    report = {
        "the cluster": judge_access(
            find_exposure(dashboard_port()), token_mode=is_token_auth_enabled(), token=find_token(),
            token_file=file if file.is_file() else None,
        )
    }  # fmt: skip
    read = ray.remote(num_cpus=0, max_retries=0)(node_facts)
    for node in [node for node in ray.nodes() if node["Alive"]]:
        here = NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)
        name = f"{node['NodeManagerHostname']} {node['NodeID'][:8]}"
        begun = time.time()
        try:
            facts = ray.get(read.options(scheduling_strategy=here).remote(folders), timeout=120)
        except (ray.exceptions.RayError, TimeoutError) as error:
            report[name] = [Finding("problem", "node", f"it does not answer: {str(error).splitlines()[0]}")]
            continue
        # The facts were read between the question and the answer; what is within that span is no skew.
        now = min(max(facts["time"], begun), time.time())
        report[name] = judge_node(facts, now, node["Resources"].get("GPU", 0.0))
    return report


def examine_launcher_file(path: str) -> Report:
    """Findings on a launcher's file, before `ray up`: the file alone, and what AWS says of it."""
    from ray_jobs.cluster.launch_checks import ask_aws, judge_launcher_file

    return {path: judge_launcher_file(path, datetime.datetime.now(datetime.UTC).date()), "the cloud": ask_aws(path)}


def run_doctor(folders: list[str], *, as_json: bool, cluster: str | None = None) -> bool:
    """Print the findings.

    Returns:
        Whether there is no problem among them.
    """
    if cluster is not None:
        report = examine_launcher_file(cluster)
    else:
        report = examine_cluster(folders) if os.environ.get("RAY_ADDRESS") else examine_here(folders)
    if as_json:
        print(json.dumps({where: [dataclasses.asdict(each) for each in found] for where, found in report.items()}))
    else:
        console = Console(width=None if sys.stdout.isatty() else 140, highlight=False)
        for where, found in report.items():
            table = Table(title=where, title_justify="left", show_header=False)
            for each in found:
                colour = {"ok": "green", "warning": "yellow", "problem": "red"}[each.level]
                table.add_row(f"[{colour}]{each.level}[/]", each.check, each.said)
            console.print(table)
    return all(each.level != "problem" for found in report.values() for each in found)


def main(arguments: list[str] | None = None) -> int:
    """Command line of the job: 0, or 1 where there is a problem."""
    options = parse("doctor", JOBS["doctor"], {
        "folder": option(list[str], "whose disk counts too, such as the run directory", [], metavar="FOLDER"),
        "cluster": option(str | None, "launcher's file to look at instead, before ray up", metavar="FILE"),
        "json": flag("json", "one JSON object"),
    }, arguments)  # fmt: skip
    healthy: list[bool] = []
    code = run_guarded("doctor", lambda _: healthy.append(run_doctor(options.folder, as_json=options.json,
                                                                      cluster=options.cluster)))  # fmt: skip
    return code or (0 if healthy[0] else 1)


if __name__ == "__main__":
    sys.exit(main())
