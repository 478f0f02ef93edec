"""CodeOcean in the forms that other trainers read: one row of INSTANCES → one record of each. Pure.

A form that needs tests leaves out the instances without them, and says how many for which reason. Sources of the
forms, as published in November 2026:

- `alpaca`: github.com/tatsu-lab/stanford_alpaca, `alpaca_data.json`.
- `messages`: OpenAI's chat form; TRL's "conversational language modeling" (huggingface.co/docs/trl/dataset_formats).
- `sharegpt`: `data/README.md` of github.com/hiyouga/LLaMA-Factory, "Sharegpt Format".
- `kodcode`: the data card of huggingface.co/datasets/KodCode/KodCode-V1.
- `verl`: `docs/preparation/prepare_data.rst` of github.com/volcengine/verl; its ground truth is what
  `verl/utils/reward_score/prime_code` takes.
- `nemo_gym`: docs.nvidia.com/nemo/gym/data/jsonl and `resources_servers/code_gen/app.py` of github.com/NVIDIA-NeMo/Gym.
- `preference`: TRL's "conversational preference with explicit prompt" (huggingface.co/docs/trl/dataset_formats).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from textwrap import indent
from typing import Any, Literal

import pyarrow as pa

from codeocean.export.tests_as_data import CallTests, call_tests, graded_tests

Row = Mapping[str, Any]
Record = dict[str, Any]
FormatName = Literal["alpaca", "messages", "sharegpt", "kodcode", "verl", "nemo_gym", "preference"]

SOURCE = "codeocean"
"""verl's `data_source`: its built-in scoring knows no such name, so a run names a reward function (docs/exports.md)."""


@dataclass(frozen=True)
class Rival:
    """An answer to the same instruction that was turned down."""

    output: str
    reasons: str


@dataclass
class Written:
    """Records of one form."""

    records: list[Record] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    """Reason → instances that have no such form."""


@dataclass(frozen=True)
class Format:
    """A form: its file, and what makes its records."""

    file: str
    make: Callable[[Row, int, Sequence[Rival]], list[Record] | str]
    """(instance, its number, its rivals) → records, or why there is none."""
    schema: pa.Schema | None = None
    """Of a Parquet file; None for JSON lines."""


def write_format(name: FormatName, instances: pa.Table, rivals: Mapping[str, Sequence[Rival]]) -> Written:
    """All records of one form, in the order of the instances.

    Args:
        name: of `FORMATS`.
        instances: INSTANCES rows, with the columns of proof or without.
        rivals: id of an instance → answers to its instruction that were turned down.
    """
    written = Written()
    for number, row in enumerate(instances.to_pylist()):
        made = FORMATS[name].make(row, number, rivals.get(row["id"], ()))
        if isinstance(made, str):
            written.left_out[made] += 1
        else:
            written.records += made
    return written


def json_lines(records: Sequence[Record]) -> Iterator[str]:
    """One line of JSON for each record."""
    for record in records:
        yield json.dumps(record, ensure_ascii=False) + "\n"


def question_of(row: Row) -> str:
    """What a chat model is asked: the instruction, and the input below it."""
    return f"{row['instruction']}\n\n{row['input']}" if row["input"].strip() else str(row["instruction"])


def _asked(role: str, text: str) -> Record:
    return {"role": role, "content": text}


def _alpaca(row: Row, _: int, __: Sequence[Rival]) -> list[Record]:
    return [{name: row[name] for name in ("instruction", "input", "output")}]


def _messages(row: Row, _: int, __: Sequence[Rival]) -> list[Record]:
    turns = [_asked("user", question_of(row)), _asked("assistant", row["output"])]
    return [{"messages": turns} | _labels(row)]


def _sharegpt(row: Row, _: int, __: Sequence[Rival]) -> list[Record]:
    turns = [{"from": "human", "value": question_of(row)}, {"from": "gpt", "value": row["output"]}]
    return [{"conversations": turns} | _labels(row)]


def _labels(row: Row) -> Record:
    return {name: row[name] for name in ("id", "task", "language")}


def _named_question(row: Row, tests: CallTests) -> str:
    """The question, with the declaration where it does not name the function that the tests call."""
    question = question_of(row)
    return question if tests.name in question else f"{question}\n\nWrite it as `{tests.declaration}`"


def _kodcode(row: Row, _: int, __: Sequence[Rival]) -> list[Record] | str:
    tests = call_tests(row)
    if isinstance(tests, str):
        return tests
    cases = [
        f"def test_{tests.name}_{number}():\n{indent(case, '    ')}\n" for number, case in enumerate(tests.asserted())
    ]
    # pytest would take a solution of that name for a test.
    uncollected = f"{tests.name}.__test__ = False\n\n" if tests.name.startswith("test") else ""
    described = {
        "docstring": tests.docstring,
        "function_declaration": tests.declaration,
        "function_name": tests.name,
        "parameter_list": f"({tests.parameters})",
    }
    return [{
        "version": SOURCE,
        "style": "instruct",
        "subset": row["task"],
        "question_id": row["id"],
        "question": _named_question(row, tests),
        "solution": row["output"],
        "test": f"import json\n\nfrom solution import {tests.name}\n\n{uncollected}" + "\n".join(cases),
        "test_info": [described],
        "gpt_pass_sequence": None,
        "gpt_pass_trial_num": None,
        "gpt_difficulty": None,
        "gpt_pass_percentage": row.get("difficulty"),
    }]  # fmt: skip


_FENCED = "\n\nAnswer with one block of code, fenced by ```python and ```."


def _verl(row: Row, number: int, _: Sequence[Rival]) -> list[Record] | str:
    tests = graded_tests(row)
    if isinstance(tests, str):
        return tests
    return [{
        "data_source": SOURCE,
        "prompt": [_asked("user", _named_question(row, tests) + _FENCED)],
        "ability": "code",
        "reward_model": {"style": "rule", "ground_truth": json.dumps(tests.unit_tests())},
        "extra_info": {
            "split": "train",
            "index": number,
            **_labels(row),
            "entry_point": tests.name,
            "tests": "\n".join(["import json", *tests.asserted()]),
            "answer": row["output"],
        },
    }]  # fmt: skip


def _nemo_gym(row: Row, _: int, __: Sequence[Rival]) -> list[Record] | str:
    tests = graded_tests(row)
    if isinstance(tests, str):
        return tests
    difficulty = row.get("difficulty")
    scored = {"unit_tests": tests.unit_tests()} | ({} if difficulty is None else {"difficulty": f"{difficulty:g}"})
    asked = {"input": [_asked("user", _named_question(row, tests) + _FENCED)]}
    return [{"responses_create_params": asked, "verifier_metadata": scored} | _labels(row)]


def _preference(row: Row, _: int, rivals: Sequence[Rival]) -> list[Record] | str:
    pairs = [
        {
            "prompt": [_asked("user", question_of(row))],
            "chosen": [_asked("assistant", row["output"])],
            "rejected": [_asked("assistant", rival.output)],
            "reasons": rival.reasons,
        }
        | _labels(row)
        for rival in rivals
        if rival.output.strip() and rival.output != row["output"]
    ]
    return pairs or "no answer to the same instruction was turned down"


_TEXT = pa.string()
_TURNS = pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))
_KODCODE = pa.schema([
    *((name, _TEXT) for name in ("version", "style", "subset", "question_id", "question", "solution", "test")),
    ("test_info", pa.list_(pa.struct([
        (name, _TEXT) for name in ("docstring", "function_declaration", "function_name", "parameter_list")
    ]))),
    ("gpt_pass_sequence", pa.list_(pa.int64())), ("gpt_pass_trial_num", pa.int64()), ("gpt_difficulty", _TEXT),
    ("gpt_pass_percentage", pa.float64()),
])  # fmt: skip
_VERL = pa.schema([
    ("data_source", _TEXT), ("prompt", _TURNS), ("ability", _TEXT),
    ("reward_model", pa.struct([("style", _TEXT), ("ground_truth", _TEXT)])),
    ("extra_info", pa.struct([("split", _TEXT), ("index", pa.int64()), ("id", _TEXT), ("task", _TEXT),
                              ("language", _TEXT), ("entry_point", _TEXT), ("tests", _TEXT), ("answer", _TEXT)])),
])  # fmt: skip

FORMATS: dict[FormatName, Format] = {
    "alpaca": Format("codeocean.jsonl", _alpaca),
    "messages": Format("messages.jsonl", _messages),
    "sharegpt": Format("sharegpt.jsonl", _sharegpt),
    "kodcode": Format("kodcode.parquet", _kodcode, _KODCODE),
    "verl": Format("verl.parquet", _verl, _VERL),
    "nemo_gym": Format("nemo_gym.jsonl", _nemo_gym),
    "preference": Format("preference.jsonl", _preference),
}
