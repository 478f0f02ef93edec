"""Accepted generations → CodeOcean: Parquet rows, Alpaca JSONL, a dataset card; and the account of the rest."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Self

import jinja2
import numpy as np
import pyarrow as pa
from pydantic import Field, model_validator

from codeocean.collect.duplicates import Duplicates, NearDuplicates, row_keys
from codeocean.export.formats import FormatName
from codeocean.export.require import Needed, check_required
from codeocean.generate.bugs import explain_bug
from codeocean.generate.few_shot import failed_rules, is_accepted
from codeocean.records import INSTANCES
from codeocean.verify.checks import VerifyConfig
from codeocean.verify.columns import proof_of_checks, unproved
from codeocean.verify.quality import QualityConfig
from core.settings import Before, EarlierDefault, Settings

Row = dict[str, Any]

CARD = Path(__file__).with_name("dataset_card.md.j2")

PAPER_MIX = {"generation": 57.1, "summarization": 15.8, "repair": 15.8, "translation": 11.2}
"""Per cent of the paper's instances, table 1."""


class CodeOceanConfig(Settings):
    """What of the accepted instances becomes the data set."""

    near_duplicates: NearDuplicates | None = NearDuplicates(threshold=0.9)
    """When two instances are nearly the same, so that the later one stops; null keeps all but copies."""

    verify: VerifyConfig = VerifyConfig()
    """What is checked by looking and by running."""

    quality: Annotated[QualityConfig | None, Before(None), EarlierDefault(None)] = QualityConfig()
    """Faults that a text shows by itself, and their thresholds; null looks for none (docs/codeocean.md)."""

    require: dict[str, Needed] = {}
    """Column → what an instance must have: the least number, a word, or a list of words. `{proof: [tests, equivalent]}`
    takes only what tests have proved, `{mutants_killed: 3}` what its tests killed three mutants of (docs/proof.md)."""

    formats: tuple[FormatName, ...] = Field(default=("alpaca",), min_length=1)
    """Forms that the data set is written in beside its Parquet file (docs/exports.md)."""

    @model_validator(mode="after")
    def _required_columns_exist(self) -> Self:
        check_required(self.require)
        return self


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


def to_instances(
    accepted: Sequence[tuple[Row, Row]],
    raw: Mapping[str, Row],
    verified: Sequence[Mapping[str, str]],
    proofs: Sequence[Mapping[str, Any]] = (),
) -> pa.Table:
    """Accepted generations as INSTANCES rows, in their order.

    Args:
        accepted: pairs of GENERATIONS and VERDICTS rows.
        raw: id → row of RAW_CODE.
        verified: check → result, of each pair.
        proofs: columns of proof of each pair; empty where there are none.

    Returns:
        The rows; the columns of proof hold what the checks show.
    """
    rows = []
    shown = proofs or [{}] * len(accepted)
    for (generation, verdict), checks, columns in zip(accepted, verified, shown, strict=True):
        source = raw[generation["raw_id"]]
        rows.append(unproved() | {
            "proof": proof_of_checks(checks),
            **columns,
            "id": generation["id"],
            "raw_id": generation["raw_id"],
            "task": generation["task"],
            "language": generation["target_language"] or source["language"],
            "instruction": generation["instruction"],
            "input": generation["information"],
            "output": generation["solution"],
            "provenance": json.dumps(_provenance(generation, verdict, source, checks), ensure_ascii=False),
        })  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INSTANCES)


def find_duplicates(instances: pa.Table, near: NearDuplicates | None, stopped: Sequence[str]) -> list[str]:
    """Reason of each instance: "" for the first of those that are the same or, by `near`, nearly the same.

    Args:
        instances: INSTANCES rows; spaces and line ends do not count.
        near: when two are nearly the same; None leaves only copies out.
        stopped: reasons of rows that stop anyway, which no row is a duplicate of; "" for the others.
    """
    if instances.num_rows == 0:
        return []
    columns = (instances[name].to_pylist() for name in ("instruction", "input", "output"))
    texts = ["\n".join(parts) for parts in zip(*columns, strict=True)]
    keys, signatures = row_keys(texts, near.permutations if near else 0)
    reasons = Duplicates(near).decide(keys, signatures, np.array([not reason for reason in stopped]))
    names = {"": "", "duplicate code": "duplicate instance", "near duplicate": "near duplicate instance"}
    return [names[reason] for reason in reasons]


def without(instances: pa.Table, reasons: Sequence[str]) -> pa.Table:
    """The rows that have no reason to stop."""
    return instances.filter(pa.array([not reason for reason in reasons], pa.bool_()))


def _provenance(generation: Row, verdict: Row, source: Row, checks: Mapping[str, str]) -> Row:
    kept = ("generator", "prompt_version", "seed", "round", "attempt", "shots")
    origin = {name: source[name] for name in ("repository", "path", "url", "license", "source") if source[name]}
    judged = {"discriminator": verdict["discriminator"], "rules": verdict["rules"], "overall": verdict["overall"]}
    found = {name: generation[name] for name in kept} | {"raw_language": source["language"]} | origin | judged
    repair = generation["solution"] == source["code"] != generation["information"]
    bug = explain_bug(source["code"], generation["information"], source["language"]) if repair else None
    return found | ({"bug": {"kind": bug.kind, "where": bug.description}} if bug else {}) | {"verified": dict(checks)}


@dataclass(frozen=True)
class CardFacts:
    """What the card says beside what is in the data."""

    models: Mapping[str, str]
    """Role → model."""
    prompts: Mapping[str, str]
    """Task → version of its prompts."""
    dropped: Mapping[str, int]
    """Reason → accepted instances that were left out."""
    verified: Mapping[str, Mapping[str, int]]
    """`task: check` → result → instances."""
    sandbox: bool
    """Whether programs were run."""
    proofs: Mapping[str, Any]
    """As `codeocean.verify.distribution.distribution_of` counts them."""
    leakage: Mapping[str, Mapping[str, Any]]
    """Benchmark → how near the nearest instances are; empty where the gate is off."""
    formats: Mapping[str, Mapping[str, Any]]
    """Form → its file, its rows, and how many instances it leaves out for which reason."""


def dataset_card(instances: pa.Table, result: Yield, facts: CardFacts) -> str:
    """Markdown with the front matter by which the Hugging Face `datasets` library finds the file.

    Args:
        instances: the data.
        result: what became of the raw code.
        facts: the rest.
    """
    environment = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)  # noqa: S701 - Markdown
    licenses = [json.loads(text).get("license") or "unknown" for text in instances["provenance"].to_pylist()]
    return environment.from_string(CARD.read_text(encoding="utf-8")).render(
        rows=instances.num_rows,
        facts=facts,
        paper_mix=PAPER_MIX,
        tasks=Counter(instances["task"].to_pylist()).most_common(),
        languages=Counter(instances["language"].to_pylist()).most_common(),
        licenses=Counter(licenses).most_common(),
        yields=sorted(result.tasks.items()),
        dropped=[*result.dropped.most_common(), *facts.dropped.items()],
    )
