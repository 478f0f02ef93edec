"""Accepted generations become a data set: what fails its check, is there already or repeats a benchmark is counted out."""

import json
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from codeocean.export import flow
from codeocean.export.instances import Yield, to_instances
from codeocean.generate.bugs import choose_bug
from codeocean.generate.ledger import Ledger
from codeocean.generate.round_store import Rounds
from ray_jobs import codeocean as job
from ray_jobs.run.config import load_config
from ray_jobs.run.leakage import benchmark_texts
from ray_jobs.run.rundir import RunDir
from report.explore.marks import read_marks, write_mark
from tests.codeocean.conftest import raw_row
from tests.codeocean.generate.test_few_shot import generation, verdict
from tests.ray_jobs.run.test_leakage import DEMO, PRIME

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


def accepted(number: int, task: str, instruction: str, **fields) -> tuple[dict, dict]:
    row = {"id": f"g{number}", "raw_id": raw_row(number)["id"], "task": task, "instruction": instruction, "information": "",
           "target_language": "", "generator": "g", "prompt_version": "v", "seed": 1, "round": 0, "attempt": 0, "shots": []}  # fmt: skip
    return row | fields, verdict(number, "yes") | {"discriminator": "d"}


def export(config, run, result, raw, benchmarks):
    return flow.export(job.export_job(config, run, raw, benchmarks), result)


def test_every_accepted_generation_is_written_or_counted(local_ray, tmp_path):
    (tmp_path / "mine.jsonl").write_text(json.dumps(PRIME) + "\n")
    overrides = ["decontaminate.humaneval=false", f"decontaminate.files={{mine: {tmp_path / 'mine.jsonl'}}}"]
    config, run = load_config(DEMO, overrides), RunDir(str(tmp_path / "run"))
    raw = {row["id"]: row for row in (raw_row(number) for number in range(6))}
    bug = choose_bug(raw_row(0)["code"], "python", 1)
    greet = "def greet(name):\n    return f'Hello, {name}!'"
    result = Yield()
    result.accepted = [
        accepted(0, "repair", "Fix the sum.", information=bug.code, solution=raw_row(0)["code"]),
        accepted(1, "generation", "Greet, such as\n>>> greet('Ann')\n'Hello, Ann!'", solution=greet),
        accepted(2, "generation", "Greet, such as\n>>> greet('Ann')\n'Hi, Ann!'", solution=greet),
        accepted(3, "generation", "Greet,  such as\n>>> greet('Ann')\n'Hello, Ann!'", solution=greet),
        accepted(4, "generation", PRIME["text"], solution=PRIME["code"]),
        accepted(
            5, "summarization", "Summarize it.", information=raw_row(5)["code"], solution="It calls `merge` on `a`."
        ),
    ]
    made = export(config, run, result, raw, benchmark_texts(config, "instances"))
    assert made.dropped == {
        "verification: examples failed": 1, "duplicate instance": 1, "verification: names failed": 1, "repeats a benchmark": 1,
    }  # fmt: skip
    assert (made.rows_in, made.rows_out) == (6, 2)
    assert "g4 " in made.examples["repeats a benchmark"][0]
    assert made.details["verified"]["repair: bug"] == {"passed": 1}
    assert made.details["sandbox"] is True
    rows = pq.read_table(tmp_path / "run" / "codeocean" / "part-00000.parquet").to_pylist()
    assert [row["id"] for row in rows] == ["g0", "g1"]
    assert json.loads(rows[0]["provenance"])["bug"]["kind"] == bug.kind
    assert json.loads(rows[1]["provenance"])["verified"] == {"parses": "passed", "examples": "passed"}
    leaked = pq.read_table(tmp_path / "run" / "codeocean" / "leakage.parquet").to_pylist()
    assert (leaked[0]["row"], leaked[0]["reason"]) == ("g4", "repeats a benchmark")
    card = (tmp_path / "run" / "codeocean" / "README.md").read_text()
    assert "| generation: examples | passed 1 |" in card
    assert "| mine | 1 |" in card


def test_without_a_sandbox_nothing_is_run_and_everything_says_so(local_ray, tmp_path, monkeypatch, caplog):
    def refuse(*_, **__):
        raise PermissionError("this machine offers no isolation")

    monkeypatch.setattr(job, "run_program", refuse)
    config, run = load_config(DEMO, ["decontaminate.gates=[]"]), RunDir(str(tmp_path))
    result = Yield()
    bug = choose_bug(raw_row(0)["code"], "python", 1)
    result.accepted = [accepted(0, "repair", "Fix the sum.", information=bug.code, solution=raw_row(0)["code"])]
    made = export(config, run, result, {raw_row(0)["id"]: raw_row(0)}, [])
    assert (made.rows_out, made.details["sandbox"]) == (1, False)
    assert made.details["verified"]["repair: bug"] == {"not run: no sandbox": 1}
    assert "No code was run" in (tmp_path / "codeocean" / "README.md").read_text()
    assert job.find_sandbox(load_config(DEMO, ["codeocean.verify.execute=false"])) is None


def test_nothing_accepted_is_an_empty_data_set(tmp_path):
    made = export(load_config(DEMO, []), RunDir(str(tmp_path)), Yield(), {}, [])
    assert (made.rows_in, made.rows_out) == (0, 0)
    assert to_instances([], {}, []).num_rows == 0


def test_marks_of_a_person_have_the_last_word(tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "verify_all", lambda _, result, __: [{} for _ in result.accepted])
    monkeypatch.setattr(job, "run_program", lambda *_, **__: None)
    config, run = load_config(DEMO, ["decontaminate.gates=[]"]), RunDir(str(tmp_path))
    dead = "def double(n):\n    return 2 * n\n    return n"
    result = Yield()
    result.accepted = [accepted(0, "generation", "Add one.", solution="def add(n):\n    return n + 1"),
                       accepted(1, "generation", "Double it.", solution=dead)]  # fmt: skip
    result.accepted.append(accepted(3, "generation", "Double it.", solution=dead))
    turned_down = accepted(2, "generation", "Halve it.", solution="def halve(n):\n    return n / 2")
    raw = {raw_row(number)["id"]: raw_row(number) for number in range(4)}
    for id_, mark in (("g0", "drop"), ("g1", "keep"), ("g2", "keep"), ("g3", "keep"), ("g9", "keep")):
        write_mark(run.fs, run.root, id_, mark)
    unjudged = accepted(3, "generation", "Judge it.", solution="x = 1")
    unjudged = (unjudged[0] | {"id": "g9"}, unjudged[1] | {"id": "g9", "error": "truncated"})
    rounds = SimpleNamespace(read=lambda _, kind: [pair[kind == "verdicts"] for pair in (turned_down, unjudged)])
    result.dropped["rejected by the discriminator"] = 1
    marks = {id_: mark.mark for id_, mark in read_marks(run.fs, run.root).items()}
    flow.accept_kept(result, rounds, [0], marks)
    assert dict(result.dropped) == {}
    made = export(config, run, result, raw, [])
    assert made.dropped == {"dropped by a person": 1}
    rows = pq.read_table(tmp_path / "codeocean" / "part-00000.parquet")
    assert rows["id"].to_pylist() == ["g1", "g3", "g2"]
    stopped = pq.read_table(tmp_path / "codeocean" / "dropped.parquet").to_pylist()
    assert stopped == [{"id": "g0", "reason": "dropped by a person"}]
    (tmp_path / "marks.json").unlink()
    assert export(config, run, result, raw, []).dropped == {"quality: dead code": 2}


def test_the_forms_that_a_recipe_names_are_written_and_counted(tmp_path):
    config, run = load_config(DEMO, ["codeocean.formats=[messages, verl, preference]"]), RunDir(str(tmp_path))
    row, judged = accepted(0, "summarization", "Summarize it.", information="x = 1", solution="It sets `x`.")
    other = generation(0, id="g1", raw_id=row["raw_id"], task="summarization", instruction="Summarize it.",
                       information="x = 1", solution="It sets `y`.", error="")  # fmt: skip
    turned_down = verdict(1, "no", overall="no") | {"discriminator": "d"}
    blank = {"task_name": "", "prompt_version": "", "raw_text": "", "reasoning": "", "generator": "g", "seed": 1}
    Rounds(run.fs, run.path("generate"), {}).finish(
        0, [blank | other], [{"raw_text": "", "reasoning": ""} | turned_down], Ledger()
    )
    raw = {row["raw_id"]: raw_row(0)}
    kept = to_instances([(row, judged)], raw, [{}])
    found = flow.write_formats(job.export_job(config, run, raw, []), kept)
    assert {name: form["rows"] for name, form in found.items()} == {"messages": 1, "verl": 0, "preference": 1}
    assert found["verl"]["left_out"] == {"no tests": 1}
    assert sorted(path.name for path in (tmp_path / "codeocean").iterdir()) == [
        "messages.jsonl", "preference.jsonl", "verl.parquet",
    ]  # fmt: skip
    pair = json.loads((tmp_path / "codeocean" / "preference.jsonl").read_text())
    assert pair["rejected"][0]["content"] == "It sets `y`."


def test_hugging_faces_datasets_loads_it_without_being_told_how(local_ray, tmp_path, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install datasets; it is none of our requirements")
    config, run = load_config(DEMO, ["decontaminate.gates=[]"]), RunDir(str(tmp_path / "run"))
    raw = {row["id"]: row for row in (raw_row(number) for number in range(2))}
    result = Yield()
    result.accepted = [accepted(number, "summarization", f"Summarize it, {number}.", information=row["code"],
                                solution="It adds up what it is given.") for number, row in enumerate(raw.values())]  # fmt: skip
    made = export(config, run, result, raw, {})
    loaded = datasets.load_dataset(
        str(tmp_path / "run" / "codeocean"), cache_dir=str(tmp_path / "cache"), split="train"
    )
    written = pq.read_table(tmp_path / "run" / "codeocean" / "part-00000.parquet").to_pylist()
    assert loaded.num_rows == made.rows_out == len(written)
    assert [dict(row) for row in loaded] == [{key: row[key] for key in loaded.column_names} for row in written]
    assert set(loaded.column_names) == {"instruction", "input", "output"}
