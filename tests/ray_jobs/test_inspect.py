"""What `inspect` shows of a run directory, and what it never sends to the terminal."""

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
    code, out, _ = shown(capsys, "collect", "--run-dir", run.root, "--rows", 2)
    assert code == 0
    for expected in ("110 rows in, 100 out", "code too short", "9.1 %", "100 rows in 2 files", "python 80, go 20",
                     "MIT 100", "row 1", "def add_1(a, b)", "characters; 5 %, 50 %, 95 %"):  # fmt: skip
        assert expected in out
    assert "row 2" not in out


def test_control_characters_are_shown_and_not_sent(run, capsys):
    _, out, _ = shown(capsys, "collect", "--run-dir", run.root)
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
