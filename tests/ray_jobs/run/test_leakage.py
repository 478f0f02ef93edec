"""The three gates in a run directory, with the real embedding model: what repeats a benchmark goes no further."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.records import INSTANCES
from core.storage import read_parts, write_part
from ray_jobs.cli import run_job
from ray_jobs.collect import run_collect
from ray_jobs.embed import run_embed
from ray_jobs.mix import run_mix, training_stage
from ray_jobs.run.config import load_config
from ray_jobs.run.leakage import benchmark_texts, check_rows, gate_inputs
from ray_jobs.run.rundir import RunDir
from ray_jobs.select import run_select
from tests.stub_answers import answering

DEMO = "configs/demo.yaml"
FUNCTIONS = Path(__file__).parents[2] / "data" / "functions"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

PRIME = {"task_id": 31, "text": "Tell whether a number is prime by trial division.",
         "code": "def is_prime(number):\n    if number < 2:\n        return False\n    divisor = 2\n    while divisor * divisor <= number:\n"
                 "        if number % divisor == 0:\n            return False\n        divisor += 1\n    return True"}  # fmt: skip


@pytest.fixture(scope="module")
def run(local_ray, tmp_path_factory):
    """A run directory with its raw code embedded, and settings that keep one problem out."""
    folder = tmp_path_factory.mktemp("gates")
    (folder / "mine.jsonl").write_text(json.dumps(PRIME) + "\n")
    overrides = [f"collect.sources=[{{kind: folder, path: {FUNCTIONS}, languages: [python]}}]", "collect.sample=1.0",
                 "select.size=5", "decontaminate.humaneval=false", f"decontaminate.files={{mine: {folder / 'mine.jsonl'}}}"]  # fmt: skip
    run = RunDir(str(folder / "run"))
    for stage in (run_collect, run_embed):
        stage(load_config(DEMO, overrides), run)
    return run, overrides


def test_raw_code_that_is_a_problem_is_never_picked(run):
    directory, overrides = run
    every = read_parts(directory.fs, directory.path("collect")).num_rows
    manifest = run_select(load_config(DEMO, [*overrides, f"select.size={every - 1}"]), directory)
    assert manifest["dropped"] == {"repeats a benchmark": 1, "not selected": 0}
    assert manifest["rows_in"] == manifest["rows_out"] + sum(manifest["dropped"].values())
    raw = {row["id"]: row["name"] for row in read_parts(directory.fs, directory.path("collect")).to_pylist()}
    picked = pq.read_table(directory.path("select", "coreset.parquet"))["id"].to_pylist()
    assert set(raw.values()) - {raw[id_] for id_ in picked} == {"is_prime"}
    worst = pq.read_table(directory.path("select", "leakage.parquet")).to_pylist()[0]
    assert (worst["problem"], raw[worst["row"]], worst["rank"]) == ("31", "is_prime", 0)
    assert worst["similarity"] > 0.9
    assert manifest["details"]["leakage"]["mine"]["problems"] == 1
    window = manifest["details"]["encoder_window"]
    assert window == {
        "problems_cut": 0,
        "problems_without_code": 0,
        "rows_cut": window["rows_cut"],
        "rows_without_code": 0,
    }
    assert manifest["details"]["certificate"]["worst_ratio"] > 1 - 1e-9


def test_a_gate_that_is_off_lets_everything_through(run):
    directory, overrides = run
    config = load_config(DEMO, [*overrides, "decontaminate.gates=[instances]"])
    assert benchmark_texts(config, "raw code") == []
    assert gate_inputs(config, []) == {}
    assert run_select(config, directory)["dropped"].keys() == {"not selected"}
    assert not directory.exists("select", "leakage.parquet")


def instances(*outputs: tuple[str, str]) -> pa.Table:
    rows = [{"id": str(n), "raw_id": "", "task": "generation", "language": "python", "instruction": instruction, "input": "",
             "output": output, "provenance": "{}"} for n, (instruction, output) in enumerate(outputs)]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=INSTANCES)


def test_an_instance_that_is_a_problem_in_other_words_is_found(run):
    directory, overrides = run
    reworded = PRIME["code"].replace("number", "value").replace("divisor", "factor").replace("is_prime", "check_prime")
    rows = instances(
        ("Check by trial division whether a number is a prime.", reworded), ("Say hello.", "print('hello')")
    )
    config = load_config(DEMO, overrides)
    found = check_rows(config, directory, "codeocean", benchmark_texts(config, "instances"), rows)
    assert found.reasons == {0: "too near to a benchmark"}
    assert (
        check_rows(config, directory, "codeocean", benchmark_texts(config, "instances"), rows.slice(0, 0)).reasons == {}
    )


def test_foreign_sets_are_mixed_in_without_copies_and_problems_and_answered_again(run, tmp_path, capsys):
    directory, overrides = run
    ocean = instances(("Reverse a list.", "def reverse(items):\n    return items[::-1]"))
    write_part(directory.fs, directory.path("codeocean", "part-00000.parquet"), ocean)
    directory.write_json({"digest": "d", "rows_out": 1}, "codeocean", "manifest.json")
    theirs = [{"instruction": "Reverse  a list.", "output": "def reverse(items):\n    return items[::-1]"},
              {"instruction": "Say hello.", "output": "print('hello')"}, {"instruction": PRIME["text"], "output": PRIME["code"]},
              {"instruction": "No answer."}]  # fmt: skip
    (tmp_path / "theirs.json").write_text(json.dumps(theirs))
    overrides = [*overrides, f"mix.sources=[{{name: theirs, path: {tmp_path / 'theirs.json'}, license: MIT}}]"]
    config = load_config(DEMO, overrides)
    assert training_stage(config) == "mix"
    manifest = run_mix(config, directory)
    assert (manifest["rows_in"], manifest["rows_out"]) == (5, 2)
    assert manifest["dropped"] == {"no output": 1, "duplicate instance": 1, "repeats a benchmark": 1}
    lines = [json.loads(line) for line in directory.local.joinpath("mix", "mix.jsonl").read_text().splitlines()]
    assert [line["instruction"] for line in lines] == ["Reverse a list.", "Say hello."]
    with answering("An answer.") as url:
        again = run_mix(load_config(DEMO, [*overrides, f"mix.answers={{model: big, endpoint: '{url}'}}"]), directory)
    rows = read_parts(directory.fs, directory.path("mix")).to_pylist()
    assert {row["output"] for row in rows} == {"An answer."}
    assert {json.loads(row["provenance"])["answered_by"] for row in rows} == {"big"}
    assert again["details"]["answered_by"] == "big"
    arguments = ["--config", DEMO, "--run-dir", str(directory.local)]
    assert run_job("mix", run_mix, arguments) == 2
    assert "there is nothing to mix" in capsys.readouterr().err
