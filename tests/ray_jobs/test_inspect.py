"""What `inspect` shows of a run directory, and what it never sends to the terminal."""

import json
import re
import subprocess
import sys

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from codeocean.select.settings import CoresetConfig
from ray_jobs import cli
from ray_jobs.run.fingerprint import Covered
from ray_jobs.run.rundir import RunDir, StageResult, run_stage
from tests.codeocean.conftest import raw_row

EVIL = "\x1b]0;owned\x07\x1b[2J\u202e[bold]x[/bold]\x00\x9b"


@pytest.fixture
def run(tmp_path):
    run = RunDir(str(tmp_path / "run"))

    def work():
        for number in range(2):
            rows = [
                raw_row(number * 50 + row, "go" if row < 10 else "python") | {"license": "MIT"} for row in range(50)
            ]
            rows[0]["code"] += EVIL
            pq.write_table(pa.Table.from_pylist(rows), tmp_path / "run" / "collect" / f"part-0000{number}.parquet")
        examples = {"code too short": [f"a.py {EVIL}"]}
        return StageResult(110, 100, {"code too short": 10}, examples, {"languages": {"go": 20, EVIL: 80}})

    run_stage(run, "collect", Covered(CoresetConfig()), {}, work)
    return run


def shown(capsys, *arguments):
    code = cli.main(["inspect", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_counts_mixes_quantiles_and_rows_are_shown(run, capsys):
    code, out, _ = shown(capsys, "collect", "--run-dir", run.root, "--rows", 100)
    assert code == 0
    for expected in ("110 rows in, 100 out", "code too short", "9.1 %", "100 rows in 2 files", "python 80, go 20",
                     "MIT 100", "row 1", "def add_1(a, b)", "characters; 5 %, 50 %, 95 %"):  # fmt: skip
        assert expected in out


def numbers_of(out):
    return [int(number) for number in re.findall(r"─ row (\d+) ─", out)]


def test_rows_are_drawn_from_all_and_again_by_the_same_seed(run, capsys):
    def drawn(*options):
        return numbers_of(shown(capsys, "collect", "--run-dir", run.root, "--rows", 5, *options)[1])

    assert drawn("--seed", 7) == drawn("--seed", 7)
    assert len({tuple(drawn()) for _ in range(4)}) > 1
    seen = {number for seed in range(8) for number in drawn("--seed", seed)}
    assert min(seen) < 50 <= max(seen) < 100


def test_rows_of_one_language(run, capsys):
    _, out, _ = shown(capsys, "collect", "--run-dir", run.root, "--rows", 100, "--language", "go")
    assert sorted(numbers_of(out)) == [*range(10), *range(50, 60)]
    code, _, err = shown(capsys, "collect", "--run-dir", run.root, "--language", "cobol")
    assert code == 2
    assert "--language cobol: there are go, python" in err


def test_what_was_dropped_is_shown_with_its_examples(run, capsys):
    _, out, _ = shown(capsys, "collect", "--run-dir", run.root, "--dropped")
    assert "code too short" in out
    assert "a.py" in out
    assert numbers_of(out) == []


def test_a_coreset_shows_the_code_of_its_picks_and_no_nan(run, capsys, recwarn):
    ids = [raw_row(number, "go")["id"] for number in (3, 70)]
    (run.local / "select").mkdir()
    table = pa.table({"rank": [0, 1, 2], "id": [*ids, "gone"], "radius": [1.5, 1.25, float("nan")]})
    pq.write_table(table, run.local / "select" / "coreset.parquet")
    code, out, err = shown(capsys, "select", "--run-dir", run.root)
    assert (code, err) == (0, "")
    assert not [warning for warning in recwarn if "nan" in str(warning.message).lower()]
    assert "1.25 to 1.5" in out
    assert "NaN 1" in out
    assert "def add_3(a, b)" in out
    assert "def add_70(a, b)" in out


def test_control_characters_are_shown_and_not_sent(run, capsys):
    _, out, _ = shown(capsys, "collect", "--run-dir", run.root, "--rows", 100)
    assert not set(out) & set("\x1b\x07\x00\x9b\u202e")
    assert "\\x1b]0;owned\\x07" in out
    assert "[bold]x[/bold]" in out


def test_an_unfinished_stage_is_shown_as_one(run, capsys):
    (run.local / "collect" / "manifest.json").unlink()
    code, out, _ = shown(capsys, "collect", "--run-dir", run.root)
    assert code == 0
    assert "not finished" in out


def test_vectors_and_numbers_are_shown(run, capsys):
    (run.local / "embed").mkdir()
    vectors = pa.FixedSizeListArray.from_arrays(pa.array([0.5] * 40, pa.float32()), 20)
    pq.write_table(
        pa.table({"id": ["a", "b"], "n": [1, 3], "embedding": vectors}), run.local / "embed" / "part-0.parquet"
    )
    _, out, _ = shown(capsys, "embed", "--run-dir", run.root)
    assert "1 to 3" in out
    assert "[0.500, 0.500" in out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["select", "--run-dir", "{run}"], "is not there; this run has collect"),
        (["collect", "--run-dir", "{run}/no"], "there is no run directory"),
        (["collect"], "say which run"),
        (["collect", "--config", "no.yaml"], "there is no such file"),
    ],
)
def test_what_is_not_there_is_one_clear_line(run, capsys, arguments, line):
    code, _, err = shown(capsys, *(argument.format(run=run.root) for argument in arguments))
    assert code == 2
    assert line in err
    assert len(err.splitlines()) == 1


def test_nothing_is_made(tmp_path, capsys):
    shown(capsys, "collect", "--run-dir", tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_as_json_the_rows_are_what_is_shown(run, capsys):
    code, out, err = shown(capsys, "collect", "--run-dir", run.root, "--json", "--rows", 2, "--seed", 1)
    found = json.loads(out)
    assert (code, err, found["stage"], found["manifest"]["rows_out"]) == (0, "", "collect", 100)
    assert [set(row) >= {"row", "id", "code"} for row in found["rows"]["part-*.parquet"]] == [True, True]


def test_a_look_at_rows_loads_neither_pandas_nor_torch(run):
    program = (f"import sys; from ray_jobs.cli import main; main(['inspect', 'collect', '--run-dir', {run.root!r}])\n"
               "print(sorted({'pandas', 'torch', 'ray'} & set(sys.modules)), file=sys.stderr)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
