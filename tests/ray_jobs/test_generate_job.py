"""The generate job and the commands around it, on a real local Ray, against a stub endpoint over HTTP."""

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.records import CORESET, RAW_CODE
from codeocean.select.settings import CoresetConfig
from ray_jobs import cli
from ray_jobs.plan import predict_generation
from ray_jobs.run.config import load_config
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.rundir import RunDir, StageResult, run_stage
from tests.codeocean.conftest import raw_row
from tests.stub_endpoint import StubEndpoint

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]

ROOT = Path(__file__).parents[2]
ROWS = 30


@pytest.fixture(scope="module")
def stub():
    stub = StubEndpoint(0.05)
    with stub.running() as url:
        stub.url = url
        yield stub


def prepare(folder: Path, stub: StubEndpoint, **more) -> Path:
    """A run directory whose coreset is done; returns its recipe."""
    run = RunDir(str(folder / "run"))
    rows = [raw_row(number) for number in range(ROWS)]

    def work():
        pq.write_table(pa.Table.from_pylist(rows, schema=RAW_CODE), folder / "run" / "collect" / "part-00000.parquet")
        return StageResult(ROWS, ROWS)

    run_stage(run, "collect", Covered(CoresetConfig()), {}, work)
    picks = [{"rank": rank, "id": row["id"], "radius": 1.0} for rank, row in enumerate(rows)]

    def pick():
        pq.write_table(pa.Table.from_pylist(picks, schema=CORESET), folder / "run" / "select" / "coreset.parquet")
        return StageResult(ROWS, ROWS)

    run_stage(run, "select", Covered(CoresetConfig()), {}, pick)
    role = {"model": "m", "endpoint": stub.url, "price": {"prompt": 1.0, "completion": 2.0}}
    generate = {
        "generator": role,
        "discriminator": role,
        "round_size": 6,
        "tasks": {"summarization": 1},
        "bad_shots": 1,
    }
    recipe = {"run_dir": run.root, "collect": {"sources": [{"kind": "folder", "path": ".", "languages": ["python"]}]},
              "train": {"model": "m/m"}, "generate": generate | more, "ray": {"dashboard": False, "num_cpus": 1},
              "decontaminate": {"gates": []}, "codeocean": {"verify": {"execute": False}}}  # fmt: skip # both: test_export.py
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe))
    return path


def wavecoder(capsys, *arguments):
    code = cli.main([str(argument) for argument in arguments])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.fixture(scope="module")
def whole(local_ray, stub, tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    recipe = prepare(folder, stub)
    assert cli.main(["generate", "--config", str(recipe)]) == 0
    return folder, recipe


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder / "run")): path.read_bytes()
            for path in sorted((folder / "run" / "generate").rglob("*.parquet"))}  # fmt: skip


def test_the_ledger_says_what_an_instance_cost(whole):
    manifest = json.loads((whole[0] / "run" / "generate" / "manifest.json").read_text())
    ledger, tokens = manifest["details"]["ledger"], manifest["details"]["tokens"]
    (total,) = ledger["all"]
    assert total["accepted"] == manifest["rows_out"] > 0
    assert total["prompt_tokens"] == tokens["prompt"] and total["cached_share"] == pytest.approx(0.5, abs=0.01)
    assert total["cost"] == pytest.approx((tokens["prompt"] + 2 * tokens["completion"]) / 1e6, abs=1e-6)
    assert sum(row["cost"] for row in ledger["rounds"]) == pytest.approx(total["cost"], abs=1e-5)
    assert sum(row["accepted"] for row in ledger["rounds"]) == total["accepted"]
    assert ledger["wall_s"] > 0


def test_killed_without_warning_it_goes_on_where_it_was(whole, stub, tmp_path):
    recipe = prepare(tmp_path, stub, concurrency=2)
    command = [sys.executable, "-m", "ray_jobs.generate", "--config", str(recipe)]
    before = stub.asked
    process = subprocess.Popen(command, cwd=ROOT, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    while stub.asked < before + 25:
        assert process.poll() is None
        time.sleep(0.02)
    process.kill()
    process.wait()
    kept = sum(len(path.read_text().splitlines()) for path in (tmp_path / "run").rglob(".answers-*"))
    assert kept > 3
    assert cli.main(["generate", "--config", str(recipe)]) == 0
    time.sleep(0.2)
    manifest = json.loads((whole[0] / "run" / "generate" / "manifest.json").read_text())
    questions = sum(used["questions"] for used in manifest["details"]["ledger"]["roles"].values())
    assert stub.asked - before <= questions + 2 * 2  # two in flight, each perhaps at its second attempt
    assert files(tmp_path) == files(whole[0])


def test_a_second_run_gives_the_same_bytes_and_diff_says_so(whole, stub, tmp_path, capsys):
    recipe = prepare(tmp_path, stub, concurrency=3)
    assert wavecoder(capsys, "generate", "--config", recipe)[0] == 0
    assert files(tmp_path) == files(whole[0])
    code, out, _ = wavecoder(capsys, "diff", whole[0] / "run", tmp_path / "run")
    assert code == 0
    assert "The same settings, inputs and prompts." in out and f"{ROWS} and {ROWS} rows; 0 differ." in out


def test_diff_says_what_another_seed_changed(whole, stub, tmp_path, capsys):
    recipe = prepare(tmp_path, stub, seed=5)
    assert wavecoder(capsys, "generate", "--config", recipe)[0] == 0
    code, out, _ = wavecoder(capsys, "diff", whole[0] / "run", tmp_path / "run")
    assert code == 0
    assert "generate.seed" in out and "another seed" in out
    assert wavecoder(capsys, "diff", whole[0] / "run", tmp_path / "nothing")[0] == 2


def test_a_budget_gives_a_sample_from_which_the_rest_is_predicted(whole, stub, tmp_path, capsys):
    recipe = prepare(tmp_path, stub, spending={"max_tokens": 25_000}, concurrency=2)
    code, _, err = wavecoder(capsys, "generate", "--config", recipe)
    assert code == 2
    assert "generate.spending.max_tokens = 25000 is spent" in err.splitlines()[-1]
    config = load_config(str(recipe), ["select.size=30", "generate.spending.max_tokens=1000000"])
    said = predict_generation(config, RunDir(config.run_dir))
    predicted = int(re.search(r"about ([\d,]+) tokens in", said)[1].replace(",", ""))
    done = sum(len(pq.read_table(path)) for path in (tmp_path / "run" / "generate").rglob("verdicts.parquet"))
    assert done > 0
    assert cli.main(["generate", "--config", str(recipe), "--set", "generate.spending.max_tokens=1000000"]) == 0
    assert files(tmp_path) == files(whole[0])
    used = json.loads((tmp_path / "run" / "generate" / "manifest.json").read_text())["details"]["tokens"]["prompt"]
    assert 0.2 * used < predicted < used
    assert predict_generation(config, RunDir(config.run_dir)).startswith(
        "generate: 0 rows left; by the 30 that are done"
    )
    assert "cannot be predicted yet" in predict_generation(config, RunDir(str(tmp_path / "other")))


def test_prompts_show_the_messages_that_were_sent(whole, capsys):
    run = whole[0] / "run"
    row = raw_row(20)
    code, out, _ = wavecoder(capsys, "prompts", "show", "summarization", "--row", row["id"], "--run-dir", run, "--json")
    assert code == 0
    shown = json.loads(out)
    assert row["code"] in shown["generator"][-1]["content"]
    generations = pq.read_table(run / "generate" / "round-00003" / "generations.parquet").to_pylist()
    shots = next(one["shots"] for one in generations if one["raw_id"] == row["id"])
    earlier = [one for number in (0, 1) for one in
               pq.read_table(run / "generate" / f"round-0000{number}" / "generations.parquet").to_pylist()]  # fmt: skip
    assert shots
    for shot in shots:
        instruction = next(one["instruction"] for one in earlier if one["id"] == shot)
        assert instruction in json.dumps(shown["generator"][:-1])
    code, out, _ = wavecoder(capsys, "prompts", "show", "repair")
    assert code == 0 and "generator · system" in out and "discriminator · user" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing"], "there is no task 'nothing'; there are generation, repair"),
        (["repair", "--row", "x"], "say which run the row is of"),
        (["repair", "--row", "0" * 16, "--run-dir", "RUN"], "is a row of the task summarization"),
        (["repair", "--row", "x", "--run-dir", "RUN"], "is not in"),
    ],
)
def test_prompts_that_cannot_be_shown_say_why(whole, capsys, arguments, message):
    code, _, err = wavecoder(
        capsys, "prompts", "show", *[str(whole[0] / "run") if one == "RUN" else one for one in arguments]
    )
    assert code == 2
    assert message in err.splitlines()[-1]


def test_a_fifth_task_is_a_new_file_and_nothing_else(local_ray, stub, tmp_path, capsys):
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    text = (ROOT / "codeocean" / "generate" / "task_files" / "summarization.yaml").read_text()
    (tasks / "naming.yaml").write_text(
        text.replace("name: summarization", "name: naming").replace("code summarization", "code naming")
    )
    recipe = prepare(tmp_path, stub, task_folder=str(tasks), tasks={"naming": 1, "summarization": 1})
    assert wavecoder(capsys, "generate", "--config", recipe)[0] == 0
    assert wavecoder(capsys, "codeocean", "--config", recipe)[0] == 0
    counts = json.loads((tmp_path / "run" / "codeocean" / "manifest.json").read_text())["details"]["tasks"]
    assert counts["naming"] > 0 and counts["summarization"] > 0
    code, out, _ = wavecoder(capsys, "prompts", "show", "naming", "--config", recipe)
    assert code == 0 and "The task is code naming" in out


def test_a_judge_is_judged_by_golden_instances(local_ray, stub, tmp_path, capsys):
    recipe = prepare(tmp_path, stub, concurrency=4)
    ask = ["judge", "--golden", "--languages", "python", "--pairs", "1", "--config", str(recipe)]
    command = [sys.executable, "-m", "ray_jobs.cli", *ask]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as job:
        while len(list((tmp_path / "run" / "judge").glob(".answers-*"))) < 2:
            time.sleep(0.01)
        job.terminate()
        *lines, last = job.stderr.read().splitlines()
    assert last == "wavecoder judge: stopped; run the same command again to go on"
    assert "judge: 0 of 96 instances decided, 0 answers" in lines[-1]
    kept = sum(len(path.read_text().splitlines()) for path in (tmp_path / "run" / "judge").glob(".answers-*"))
    asked = []
    for _ in range(2):  # the second time nothing is kept any more
        before = stub.asked
        code, out, _ = wavecoder(capsys, *ask)
        assert (code, list((tmp_path / "run" / "judge").iterdir())) == (0, [tmp_path / "run" / "judge" / "golden.json"])
        asked.append(stub.asked - before)
    assert asked[0] == asked[1] - kept < asked[1]
    assert all(task in out for task in ("generation", "summarization", "translation", "repair"))
    kept = json.loads((tmp_path / "run" / "judge" / "golden.json").read_text())
    assert kept["tasks"]["repair"]["accepting"]["n"] >= 20
    assert -0.5 < kept["tasks"]["repair"]["accepting"]["kappa"] < 0.5  # the stub's verdicts know nothing
    assert kept["faults"]["all"]["discriminator"]["n"] == len(kept["instances"]) == 8
    assert kept["faults"]["all"]["proof"]["kept"] == 0  # and it writes no tests
    assert wavecoder(capsys, "judge", "--config", recipe)[0] == 2
