"""`wavecoder submit`, `status` and `logs`: what is refused here, and one real job on a token-protected head."""

import json
import zipfile
from pathlib import Path
from types import SimpleNamespace

import pytest

from ray_jobs import cli
from ray_jobs.cluster.job_api import check_address, find_token
from ray_jobs.cluster.secret_refs import VARIABLE
from ray_jobs.submit import EXCLUDES, check_job, main, submission

ROOT = Path(__file__).parents[2]
DEMO = "configs/demo.yaml"
FUNCTIONS = f"collect.sources=[{{kind: folder, path: {ROOT / 'tests/data/functions'}, languages: [python]}}]"


def options(*command, **given):
    chosen = {"env": [], "secret": [], "exclude": [], "working_dir": ".", "allow_open_cluster": False, "id": None}
    return SimpleNamespace(**chosen | given, command=list(command))


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ([], "no cluster is named"),
        (["--address", "127.0.0.1:8265"], "should be the dashboard's URL"),
        (["--address", "http://8.8.8.8:8265"], "would cross the network in the clear"),
        (["--address", "http://127.0.0.1:1"], "no Ray cluster answers at"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_one_line(capsys, monkeypatch, arguments, line):
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS"):
        monkeypatch.delenv(name, raising=False)
    assert main([*arguments, "--", "plan", "--config", DEMO, "--run-dir", "/tmp/x"]) == 2
    (shown,) = [found for found in capsys.readouterr().err.splitlines() if found.startswith("wavecoder")]
    assert line in shown


def test_a_job_without_the_mark_before_it_is_told_how(capsys):
    assert main(["collect", "--config", DEMO]) == 2
    assert capsys.readouterr().err == "wavecoder submit: write `--` before the job: wavecoder submit -- collect …\n"


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ([], "after `--` there should be a job"),
        (["submit"], "after `--` there should be a job"),
        (["colect"], "after `--` there should be a job and its options; did you mean collect?"),
        (["collect", "--config", DEMO], "would lie in a copy that Ray deletes"),
        (["collect", "--config", DEMO, "--run-dir=runs/x"], "would lie in a copy that Ray deletes"),
        (["collect", "--config", DEMO, "--set", "selct.size=3", "--run-dir", "/x"], "unknown key selct"),
        (["collect", "--config", "/etc/demo.yaml", "--run-dir", "/x"], "relative to the working directory"),
    ],
)
def test_a_job_that_cannot_work_is_refused_before_it_is_sent(command, line):
    with pytest.raises(ValueError, match=line):
        check_job(command)


def test_what_is_sent_holds_references_and_no_secret(monkeypatch):
    monkeypatch.setenv("HF_TOKEN", "hf_planted")
    sent = submission(options("train", "--config", DEMO, "--run-dir", "s3://bucket/run", "--set", "report.title=a b",
                              secret=["HF_TOKEN=file:/run/secrets/hf"], env=["A=1"], allow_open_cluster=True))  # fmt: skip
    assert sent["entrypoint"] == ("python -m ray_jobs.train --config configs/demo.yaml --run-dir s3://bucket/run "
                                  "--set 'report.title=a b' --allow-open-cluster")  # fmt: skip
    assert sent["runtime_env"]["env_vars"] == {"A": "1", VARIABLE: "HF_TOKEN=file:/run/secrets/hf"}
    assert sent["metadata"]["wavecoder_run_dir"] == "s3://bucket/run"
    assert "hf_planted" not in json.dumps(sent)


def test_secrets_and_what_is_large_or_made_stay_here(tmp_path):
    from ray._private.runtime_env.packaging import create_package

    for name in ("ray_jobs/cli.py", "configs/demo.yaml", ".env", ".env.local", "deploy/server.pem", "tls.key", "keys.json",
                 "keys.json.usage", "runs/demo/x.parquet", ".venv/bin/python", ".git/config", "a/__pycache__/x.pyc",
                 "model.safetensors", ".ray/auth_token", ".mypy_cache/x", "home/.aws/credentials"):  # fmt: skip
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "source" / name).write_text("planted")
    package = tmp_path / "package.zip"
    create_package(str(tmp_path / "source"), package, True, excludes=list(EXCLUDES))
    names = {name for name in zipfile.ZipFile(package).namelist() if not name.endswith("/")}
    assert names == {"ray_jobs/cli.py", "configs/demo.yaml"}


def test_the_token_is_found_where_ray_looks(tmp_path, monkeypatch):
    for name in ("RAY_AUTH_TOKEN", "RAY_AUTH_TOKEN_PATH", "RAY_AUTH_MODE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert find_token() is None
    (tmp_path / ".ray").mkdir()
    (tmp_path / ".ray" / "auth_token").write_text("a\n")
    assert find_token() == "a"
    (tmp_path / "other").write_text("b")
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", str(tmp_path / "other"))
    assert find_token() == "b"
    monkeypatch.setenv("RAY_AUTH_TOKEN", "c")
    assert find_token() == "c"
    monkeypatch.setenv("RAY_AUTH_MODE", "disabled")
    assert find_token() is None


def test_the_address_that_is_asked_for_wins(monkeypatch):
    monkeypatch.setenv("RAY_ADDRESS", "http://10.0.0.1:8265")
    assert check_address(None) == "http://10.0.0.1:8265"
    assert check_address("https://ray.example.invalid/") == "https://ray.example.invalid"


@pytest.fixture(scope="module")
def submitted(token_head, tmp_path_factory):
    """One small real job, followed to its end."""
    run_dir, secret = tmp_path_factory.mktemp("run"), tmp_path_factory.mktemp("secret") / "hf"
    secret.write_text("hf_planted")
    done = token_head.wavecoder(
        "submit", "--address", token_head.url, "--id", "small", "--env", "TOKENIZERS_PARALLELISM=true", "--secret", f"HF_TOKEN=file:{secret}",
        "--", "collect", "--config", DEMO, "--run-dir", str(run_dir), "--set", FUNCTIONS, "--set", "collect.sample=1.0",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return run_dir, done


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_submitted_job_is_followed_to_its_end(submitted):
    run_dir, done = submitted
    assert json.loads((run_dir / "collect" / "manifest.json").read_text())["rows_out"] > 0
    assert "collect: begins" in done.stdout
    assert "small: SUCCEEDED" in done.stderr
    assert "hf_planted" not in done.stdout + done.stderr


@pytest.fixture
def with_token(token_head, monkeypatch):
    for name in ("RAY_ADDRESS", "RAY_API_SERVER_ADDRESS", "RAY_AUTH_MODE", "RAY_AUTH_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", token_head.environment["HOME"])
    monkeypatch.setenv("RAY_AUTH_TOKEN_PATH", token_head.environment["RAY_AUTH_TOKEN_PATH"])


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("with_token")
def test_status_and_logs_of_a_job_that_has_ended(submitted, token_head, capsys):
    run_dir, done = submitted
    assert cli.main(["status", "small", "--address", token_head.url]) == 0
    shown = capsys.readouterr().out
    assert "small: SUCCEEDED" in shown
    assert str(run_dir) in shown
    assert "│ collect │ done" in shown
    assert cli.main(["status", "--address", token_head.url]) == 0
    assert "│ small " in capsys.readouterr().out
    assert cli.main(["logs", "small", "--address", token_head.url]) == 0
    assert capsys.readouterr().out == done.stdout
    assert cli.main(["logs", "other", "--address", token_head.url]) == 2
    assert "other does not exist" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("with_token")
@pytest.mark.parametrize(
    ("token", "line"), [(None, "asks for a token and none was found"), ("wrong", "does not take this token")]
)
def test_without_the_token_nothing_is_told(token_head, monkeypatch, capsys, token, line):
    monkeypatch.delenv("RAY_AUTH_TOKEN_PATH")
    if token:
        monkeypatch.setenv("RAY_AUTH_TOKEN", token)
    assert cli.main(["status", "--address", token_head.url]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert line in shown.err


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.usefixtures("with_token")
def test_watch_shows_the_nodes_to_who_has_the_token(token_head, monkeypatch, capsys, tmp_path):
    arguments = ["watch", "--run-dir", str(tmp_path), "--once", "--address", token_head.url]
    assert cli.main(arguments) == 0
    shown = capsys.readouterr().out
    assert "collect: not begun" in shown
    assert "(head): 2 CPU: " in shown  # idle, or with the actors that Ray Data leaves behind a job
    monkeypatch.setenv("RAY_AUTH_TOKEN", "wrong")
    assert cli.main(arguments) == 0  # the run is shown all the same
    assert f"{token_head.url}: Ray does not tell what runs" in capsys.readouterr().out
