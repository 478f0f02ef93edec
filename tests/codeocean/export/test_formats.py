"""CodeOcean in the forms of other trainers: what is in them, and that the libraries that they are for load them."""

import json
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.export.formats import FORMATS, Rival, json_lines, write_format
from codeocean.records import INSTANCES

TESTS = [{"arguments": [3, 4], "expected": 7}, {"assertion": "assert add(1, 1) > 1"}]
ADD = "def add(a, b):\n    return a + b"


def instances(**changes) -> pa.Table:
    rows = [
        {"id": "a", "task": "generation", "language": "python", "instruction": "Add two numbers.", "input": "",
         "output": ADD, "tests": json.dumps(TESTS), "pass_rate": 1.0, "difficulty": 0.5},
        {"id": "b", "task": "summarization", "language": "go", "instruction": "Summarize it.",
         "input": "func f() {}", "output": "It does nothing: „ö“.", "tests": "[]"},
    ]  # fmt: skip
    return pa.Table.from_pylist([row | {"raw_id": "", "provenance": "{}"} | changes for row in rows], schema=INSTANCES)


RIVALS = {"a": [Rival("def add(a, b):\n    return a - b", "correct: it subtracts")]}


def written(name):
    return write_format(name, instances(), RIVALS)


def test_forms_of_every_instance():
    alpaca, messages, sharegpt = (written(name).records for name in ("alpaca", "messages", "sharegpt"))
    assert alpaca[0] == {"instruction": "Add two numbers.", "input": "", "output": ADD}
    assert [turn["content"] for turn in messages[0]["messages"]] == ["Add two numbers.", ADD]
    assert [turn["role"] for turn in messages[1]["messages"]] == ["user", "assistant"]
    assert messages[1]["messages"][0]["content"] == "Summarize it.\n\nfunc f() {}"
    assert sharegpt[1]["conversations"][1] == {"from": "gpt", "value": "It does nothing: „ö“."}
    lines = list(json_lines(messages))
    assert [json.loads(line) for line in lines] == messages
    assert "„ö“" in lines[1]


@pytest.mark.parametrize("name", ["kodcode", "verl", "nemo_gym"])
def test_forms_with_tests_count_what_they_leave_out(name):
    found = written(name)
    assert len(found.records) == 1
    assert found.left_out == {"no tests": 1}


def test_kodcodes_tests_run_by_pytest(tmp_path):
    (row,) = written("kodcode").records
    (tmp_path / "solution.py").write_text(row["solution"])
    (tmp_path / "test_it.py").write_text(row["test"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_it.py"]
    assert "2 passed" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    assert row["gpt_pass_percentage"] == 0.5
    assert row["question"].endswith("Write it as `def add(a, b):`")  # the instruction does not name it


PAIR = """def test_pair(a=1, b=2):
    return {1: (min(a, b), max(a, b))}"""


def test_tests_of_values_that_data_writes_otherwise_hold_and_a_solution_is_no_test(tmp_path):
    calls = [{"arguments": [], "expected": {"1": [1, 2]}}, {"arguments": [5, 3], "expected": {"1": [3, 5]}}]
    table = instances(output=PAIR, tests=json.dumps(calls), task="generation", language="python", pass_rate=1.0)
    row = write_format("kodcode", table, {}).records[0]
    (tmp_path / "solution.py").write_text(row["solution"])
    (tmp_path / "test_it.py").write_text(row["test"])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tmp_path), "test_it.py"]
    assert "2 passed" in subprocess.run(command, cwd=tmp_path, capture_output=True, text=True).stdout
    verl = write_format("verl", table, {}).records[0]
    assert json.loads(verl["reward_model"]["ground_truth"])["inputs"] == ["5\n3"]
    exec(f"{PAIR}\n{verl['extra_info']['tests']}", {})


@pytest.mark.parametrize(
    ("output", "arguments", "reason"),
    [
        ("def one():\n    return 1", [], "no test has arguments"),
        (
            "class Solution:\n    pass\n\n\ndef same(x):\n    return x",
            [1],
            "graders take a class Solution for the answer",
        ),
    ],
)
@pytest.mark.parametrize("name", ["verl", "nemo_gym"])
def test_what_their_graders_would_fail_is_left_out(name, output, arguments, reason):
    tests = json.dumps([{"arguments": arguments, "expected": 1}])
    found = write_format(name, instances(output=output, tests=tests, language="python", pass_rate=1.0), {})
    assert (found.records, found.left_out) == ([], {reason: 2})


def test_verls_and_nemo_gyms_ground_truth_say_what_to_call():
    (row,) = written("verl").records
    truth = json.loads(row["reward_model"]["ground_truth"])
    assert truth == {"inputs": ["3\n4"], "outputs": ["7"], "fn_name": "add"}
    assert (row["ability"], row["reward_model"]["style"], row["extra_info"]["index"]) == ("code", "rule", 0)
    (task,) = written("nemo_gym").records
    assert task["verifier_metadata"] == {"unit_tests": truth, "difficulty": "0.5"}
    (asked,) = task["responses_create_params"]["input"]
    assert asked["role"] == "user"
    assert "`def add(a, b):`" in asked["content"]
    assert "```python" in asked["content"]


def test_a_pair_is_a_different_answer_to_the_same_question():
    (pair,) = written("preference").records
    assert pair["prompt"][0]["content"] == "Add two numbers."
    assert (pair["chosen"][0]["content"], pair["rejected"][0]["content"]) == (ADD, RIVALS["a"][0].output)
    assert pair["reasons"] == "correct: it subtracts"
    same = write_format("preference", instances(), {"a": [Rival(ADD, "x"), Rival(" ", "y")]})
    assert same.records == []
    assert sum(same.left_out.values()) == 2


def files(folder, name):
    form, records = FORMATS[name], written(name).records
    path = folder / form.file
    if form.schema is None:
        path.write_text("".join(json_lines(records)))
    else:
        pq.write_table(pa.Table.from_pylist(records, schema=form.schema), path)
    return str(path)


@pytest.mark.parametrize("name", FORMATS)
def test_datasets_loads_every_form(tmp_path, monkeypatch, name):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install datasets; it is none of our requirements")
    kind = "parquet" if FORMATS[name].schema is not None else "json"
    loaded = datasets.load_dataset(
        kind, data_files=files(tmp_path, name), cache_dir=str(tmp_path / "cache"), split="train"
    )
    assert [dict(row) for row in loaded] == written(name).records


def test_trl_takes_messages_and_pairs_as_conversations(tmp_path):
    pytest.importorskip("datasets", reason="pip install datasets trl; they are none of our requirements")
    data_utils = pytest.importorskip("trl.data_utils", reason="pip install trl; it is none of our requirements")
    (pair,) = written("preference").records
    for record in (written("messages").records[0], pair, written("verl").records[0]):
        assert data_utils.is_conversational(record)
    assert data_utils.maybe_extract_prompt(dict(pair)) == pair  # an explicit prompt, as DPOTrainer wants it
