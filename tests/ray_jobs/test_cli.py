"""What a user sees of a failure: one line, an exit code, and nothing lost."""

import errno

import pytest
from ray.exceptions import RayTaskError, UserCodeException

from ray_jobs import cli
from ray_jobs.cli import root_cause, run_job

DEMO = "configs/demo.yaml"


def run(capsys, job, *arguments):
    code = run_job("collect", job, list(arguments))
    return code, [line for line in capsys.readouterr().err.splitlines() if line.startswith("wavecoder")]


def failing(error):
    def job(config, run):
        raise error

    return job


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (ValueError("select.size is too\n large"), 2, "wavecoder collect: select.size is too large"),
        (FileNotFoundError("no such file: x"), 2, "wavecoder collect: no such file: x"),
        (RuntimeError("boom"), 1, "wavecoder collect: RuntimeError: boom"),
        (OSError(errno.ENOSPC, "No space left on device"), 2, "no space left on the disk of"),
        (OSError("Error writing bytes to file. Detail: No space left on device"), 2, "finished work is kept"),
    ],
)
def test_a_failure_is_one_line_and_its_trace_is_kept(capsys, tmp_path, error, code, line):
    found, lines = run(capsys, failing(error), "--config", DEMO, "--run-dir", str(tmp_path))
    assert found == code
    assert len(lines) == 1
    assert line in lines[0]
    assert type(error).__name__ in (tmp_path / "error.log").read_text()


def test_an_interrupt_says_how_to_go_on(capsys, tmp_path):
    code, lines = run(capsys, failing(KeyboardInterrupt()), "--config", DEMO, "--run-dir", str(tmp_path))
    assert (code, len(lines)) == (130, 1)
    assert "run the same command again" in lines[0]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["--config", "nowhere.yaml"], "nowhere.yaml"),
        (["--config", DEMO, "--set", "selct.size=3"], "unknown key selct"),
        (["--config", DEMO, "--run-dir", "/proc/nowhere"], "run_dir '/proc/nowhere' cannot be created"),
        (["--config", DEMO, "--run-dir", "xyz://bucket/run"], "run_dir is 'xyz://bucket/run'"),
    ],
)
def test_a_wrong_command_is_one_line(capsys, arguments, line):
    code, lines = run(capsys, failing(AssertionError("not reached")), *arguments)
    assert code == 2
    assert len(lines) == 1
    assert line in lines[0]


def test_the_cause_inside_rays_wrappers_is_what_counts():
    cause = ValueError("the real reason")
    inner = UserCodeException("UDF failed")
    inner.__cause__ = cause
    assert root_cause(RayTaskError("f", "trace", inner)) is cause
    assert root_cause(cause) is cause


def test_every_job_is_listed_and_an_unknown_one_refused(capsys):
    assert cli.main(["--help"]) == 0
    shown = capsys.readouterr().out
    assert all(job in shown for job in cli.JOBS)
    assert cli.main(["colect"]) == 2
    assert "unknown job 'colect'" in capsys.readouterr().err
