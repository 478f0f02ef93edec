"""The command: what is no run on this machine is refused in one line, before anything is served."""

import pytest

from ray_jobs.standalone.explore import main


@pytest.mark.parametrize(
    ("folder", "said"),
    [("none", "there is no such folder"), ("s3://bucket/run", "copy it here first"), (".", "holds no generate/")],
)
def test_what_is_no_run_is_refused(tmp_path, monkeypatch, capsys, folder, said):
    monkeypatch.chdir(tmp_path)
    assert main(["--run-dir", folder]) == 2
    assert said in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
