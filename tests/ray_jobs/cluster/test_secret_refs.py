"""Secrets go by reference; a value never leaves the cluster."""

import pytest

from ray_jobs.cluster.secret_refs import VARIABLE, check_reference, check_variable, resolve


def test_references_are_resolved_where_the_job_runs(tmp_path, monkeypatch):
    file = tmp_path / "token"
    file.write_text("hf_planted\n")
    monkeypatch.setenv("TEAM_KEY", "sk-planted")
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.setenv(VARIABLE, f"HF_TOKEN=file:{file}\nOPENAI_API_KEY=env:TEAM_KEY")
    resolve()
    import os

    assert (os.environ["HF_TOKEN"], os.environ["OPENAI_API_KEY"]) == ("hf_planted", "sk-planted")


@pytest.mark.parametrize(
    ("reference", "said"), [("X=env:NOT_SET_HERE", "NOT_SET_HERE"), ("X=file:/nowhere", "/nowhere")]
)
def test_a_reference_to_nothing_is_one_line(monkeypatch, reference, said):
    monkeypatch.setenv(VARIABLE, reference)
    with pytest.raises(ValueError, match=f"secret X: .*{said}"):
        resolve()


@pytest.mark.parametrize("value", ["HF_TOKEN=hf_planted", "hf_planted", "HF_TOKEN=file:hf_planted", "=env:hf_planted"])
def test_a_value_is_refused_and_not_repeated(value):
    with pytest.raises(ValueError, match="--secret") as refused:
        check_reference(value)
    assert "hf_planted" not in str(refused.value)


@pytest.mark.parametrize("name", ["HF_TOKEN", "OPENAI_API_KEY", "aws_secret_access_key", "DB_PASSWORD"])
def test_a_secret_among_the_variables_is_refused_and_not_repeated(name):
    with pytest.raises(ValueError, match="--secret") as refused:
        check_variable(f"{name}=hf_planted")
    assert "hf_planted" not in str(refused.value)


def test_other_variables_go():
    assert check_variable("HF_HUB_OFFLINE=1") == ("HF_HUB_OFFLINE", "1")
    assert check_variable("TOKENIZERS_PARALLELISM=false")[1] == "false"
    assert check_variable("A=b=c") == ("A", "b=c")
