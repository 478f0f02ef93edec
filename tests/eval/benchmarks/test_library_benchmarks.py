"""BigCodeBench and DS-1000 in their published fields, on rows of our own: tests that run beside the candidate."""

import json
from pathlib import Path

import pytest

from eval.answers.assemble import candidate_of_continuation
from eval.answers.prompts import read_answer, request_for
from eval.benchmarks.bigcodebench import needed_packages
from eval.benchmarks.catalogue import load_benchmarks
from eval.flow import load_problems
from eval.settings import EvaluateConfig

DATA = Path(__file__).parents[2] / "data" / "benchmarks"
FILES = {"bigcodebench": str(DATA / "bigcodebench.jsonl"), "ds1000": str(DATA / "ds1000.jsonl")}


@pytest.fixture(scope="module")
def bigcodebench():
    return load_benchmarks(["bigcodebench"], FILES)[0].problems


@pytest.fixture(scope="module")
def ds1000():
    return load_benchmarks(["ds1000"], FILES)[0].problems[0]


@pytest.mark.parametrize("number", [0, 1])
def test_the_solutions_of_bigcodebench_pass(bigcodebench, verdict_of, number):
    problem = bigcodebench[number]
    assert verdict_of(candidate_of_continuation(problem, problem.reference, cut=False), problem) == "passed"


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ("    return os.path.join(folder, 'kept.json')", "failed"),
        ("    raise SystemExit", "failed"),
        (
            "    with open(f'{folder}/{PREFIX}.json', 'w') as stream:\n        stream.write(str(values))\n    return stream.name",
            "failed",
        ),
    ],
)
def test_wrong_answers_fail(bigcodebench, verdict_of, body, outcome):
    problem = bigcodebench[0]
    answer = f"```python\nimport os\ndef task_func(folder, values):\n{body}\n```"
    assert verdict_of(read_answer(problem, "chat", answer)[1], problem) == outcome


def test_a_chat_gets_the_instruction_and_a_continuation_the_docstring(bigcodebench):
    problem = bigcodebench[1]
    assert request_for(problem, "chat").text.endswith("def task_func(rows):\n```")
    assert request_for(problem, "completion").text.rstrip().endswith('as an array.\n    """')
    assert problem.needs == ("numpy",)
    assert needed_packages("['os', 'sklearn.svm', 'pandas', 'collections']") == ("pandas", "sklearn")


def test_the_hard_part_is_a_benchmark_of_its_own():
    (hard,) = load_benchmarks(["bigcodebench-hard"], {"bigcodebenchhard": FILES["bigcodebench"]})
    assert hard.name == "bigcodebench-hard"
    assert len(hard.problems) == 2


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        ("```python\nresult = x.sum(axis=1)\n```", "passed"),
        ("<code>\nresult = x.sum(axis=1)\n</code>", "passed"),
        ("Sum along the axis:\n\n```\nresult = np.sum(x, 1)\n```\n", "passed"),
        ("```python\nBEGIN SOLUTION\nresult = x.sum(axis=1)\nEND SOLUTION\n```", "passed"),
        ("```python\nresult = x.sum(axis=0)\n```", "failed"),
        ("```python\nresult = np.array([sum(row) for row in x])\n```", "failed"),
        ("```python\nresult = x.total()\n```", "exception"),
    ],
)
def test_ds1000_puts_the_lines_into_its_program(ds1000, verdict_of, answer, outcome):
    assert verdict_of(read_answer(ds1000, "chat", answer)[1], ds1000) == outcome


def test_ds1000_from_a_continuation(ds1000, verdict_of):
    candidate = read_answer(ds1000, "completion", "result = x.sum(axis=1)\n</code>\nEND SOLUTION\nmore words")[1]
    assert verdict_of(candidate, ds1000) == "passed"
    assert ds1000.needs == ("numpy",)


def test_packages_that_are_not_shown_are_named_before_anybody_asks(tmp_path, caplog):
    row = json.loads((DATA / "bigcodebench.jsonl").read_text().splitlines()[0]) | {"libs": "['json', 'pandas']"}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    load_problems(EvaluateConfig(benchmark="bigcodebench", dataset=str(tmp_path / "rows.jsonl")))
    assert (
        "imports packages that evaluate.packages does not show, so no answer passes: pandas (1 problems)" in caplog.text
    )


@pytest.mark.parametrize("row", [{}, {"task_id": "x", "libs": "os.system"}])
def test_other_rows_are_refused_by_name(tmp_path, row):
    (tmp_path / "rows.jsonl").write_text(json.dumps(row) + "\n")
    for name in ("bigcodebench", "ds1000"):
        with pytest.raises(ValueError, match=f"is not {name}"):
            load_benchmarks([name], str(tmp_path / "rows.jsonl"))
