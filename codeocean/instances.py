"""Accepted generations → CodeOcean: Parquet rows, Alpaca JSONL, a dataset card; and the account of the rest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jinja2
import pyarrow as pa

from codeocean.records import INSTANCES
from codeocean.rounds import failed_rules, is_accepted

Row = dict[str, Any]

CARD = Path(__file__).with_name("dataset_card.md.j2")

PAPER_MIX = {"generation": 57.1, "summarization": 15.8, "repair": 15.8, "translation": 11.2}
"""Per cent of the paper's instances, table 1."""


@dataclass
class Yield:
    """What became of the raw code that was sent to the generator."""

    accepted: list[tuple[Row, Row]] = field(default_factory=list)
    """Generation and verdict of each accepted instance."""
    dropped: Counter[str] = field(default_factory=Counter)
    examples: dict[str, list[str]] = field(default_factory=dict)
    tasks: dict[str, Counter[str]] = field(default_factory=dict)
    """Task → how many were asked for, parsed, checked and accepted."""
    rules: dict[str, dict[str, Counter[str]]] = field(default_factory=dict)
    """Task → rule → yes and no."""

    def add_round(self, generations: Iterable[Row], verdicts: Iterable[Row]) -> None:
        """Count a finished round. Only the last attempt of a raw code counts."""
        judged = {verdict["id"]: verdict for verdict in verdicts}
        last = {row["raw_id"]: row for row in generations}
        for row in last.values():
            tally = self.tasks.setdefault(row["task"], Counter())
            tally["generated"] += 1
            tally["parsed"] += bool(row["solution"])
            verdict = judged.get(row["id"])
            reason = row["error"]
            if verdict is not None:
                tally["checked"] += 1
                self._count_rules(row["task"], verdict)
                reason = f"verdict: {verdict['error']}" if verdict["error"] else ""
                if not reason and not is_accepted(verdict):
                    reason = "rejected by the discriminator"
            if reason:
                self._drop(row, verdict, reason)
            else:
                assert verdict is not None
                tally["accepted"] += 1
                self.accepted.append((row, verdict))

    def _count_rules(self, task: str, verdict: Row) -> None:
        for rule in verdict["rules"] or []:
            self.rules.setdefault(task, {}).setdefault(rule["rule"], Counter())[rule["answer"]] += 1

    def _drop(self, row: Row, verdict: Row | None, reason: str) -> None:
        self.dropped[reason] += 1
        examples = self.examples.setdefault(reason, [])
        if len(examples) < 3:
            why = "; ".join(f"{rule['rule']}: {rule['reason']}" for rule in failed_rules(verdict)) if verdict else ""
            examples.append(
                f"{row['task']} {row['raw_id']} {why or row['instruction'] or row['raw_text'][:200]}".strip()
            )


def to_instances(accepted: Iterable[tuple[Row, Row]], raw: Mapping[str, Row]) -> tuple[pa.Table, int]:
    """Accepted generations as INSTANCES rows, and how many exact duplicates were left out.

    Args:
        accepted: pairs of GENERATIONS and VERDICTS rows.
        raw: id → row of RAW_CODE.
    """
    rows, seen, duplicates = [], set(), 0
    for generation, verdict in accepted:
        key = tuple(" ".join(generation[name].split()) for name in ("instruction", "information", "solution"))
        if key in seen:
            duplicates += 1
            continue
        seen.add(key)
        source = raw[generation["raw_id"]]
        rows.append({
            "id": generation["id"],
            "raw_id": generation["raw_id"],
            "task": generation["task"],
            "language": generation["target_language"] or source["language"],
            "instruction": generation["instruction"],
            "input": generation["information"],
            "output": generation["solution"],
            "provenance": json.dumps(_provenance(generation, verdict, source), ensure_ascii=False),
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INSTANCES), duplicates


def _provenance(generation: Row, verdict: Row, source: Row) -> Row:
    kept = ("generator", "prompt_version", "seed", "round", "attempt", "shots")
    origin = {name: source[name] for name in ("repository", "path", "url", "license", "source") if source[name]}
    judged = {"discriminator": verdict["discriminator"], "rules": verdict["rules"], "overall": verdict["overall"]}
    return {name: generation[name] for name in kept} | {"raw_language": source["language"]} | origin | judged


def alpaca_lines(instances: pa.Table) -> Iterator[str]:
    """One JSON line for each instance: `instruction, input, output`."""
    for row in instances.select(["instruction", "input", "output"]).to_pylist():
        yield json.dumps(row, ensure_ascii=False) + "\n"


def dataset_card(instances: pa.Table, result: Yield, models: Mapping[str, str]) -> str:
    """Markdown with the front matter by which the Hugging Face `datasets` library finds the file.

    Args:
        instances: the data.
        result: what became of the rest.
        models: role → model.
    """
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701 - Markdown
    licenses = [json.loads(text).get("license") or "unknown" for text in instances["provenance"].to_pylist()]
    return environment.from_string(CARD.read_text(encoding="utf-8")).render(
        rows=instances.num_rows,
        models=models,
        paper_mix=PAPER_MIX,
        tasks=Counter(instances["task"].to_pylist()).most_common(),
        languages=Counter(instances["language"].to_pylist()).most_common(),
        licenses=Counter(licenses).most_common(),
        yields=sorted(result.tasks.items()),
        dropped=result.dropped.most_common(),
    )
