"""Pushing a model: what would be sent is said, what cannot be sent is one line, and the hub gets folder and card."""

import logging

import huggingface_hub
import pytest

from training.services.hub import check_push, push_model


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "adapter").mkdir()
    for name in ("model.safetensors", "README.md", "config.json", "adapter/adapter_config.json"):
        (tmp_path / name).write_text("{}")
    return tmp_path


def test_a_dry_run_names_every_file_and_asks_nobody(folder, caplog, monkeypatch):
    monkeypatch.setattr(huggingface_hub, "HfApi", None)
    with caplog.at_level(logging.INFO, logger="wavecoder.training"):
        push_model(folder, "me/wavecoder", dry_run=True)
    (line,) = (record.getMessage() for record in caplog.records)
    assert line.startswith(f"train: would push {folder} to me/wavecoder: ")
    assert all(f"{file.relative_to(folder)} (2 bytes)" in line for file in folder.rglob("*.*"))


def test_a_folder_without_a_model_is_one_line(tmp_path):
    with pytest.raises(ValueError, match="holds no trained model with its card; run: wavecoder train"):
        push_model(tmp_path, "me/wavecoder", dry_run=True)


@pytest.mark.parametrize("name", ["wavecoder", "me/wave/coder", "https://huggingface.co/me/x", "me/x y", ""])
def test_a_name_that_is_no_repository_is_one_line(name):
    with pytest.raises(ValueError, match="is no repository of the hub; give OWNER/NAME"):
        check_push(name)


def test_without_a_token_nothing_is_trained(monkeypatch, tmp_path):
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: None)
    with pytest.raises(ValueError, match="--push needs a token .*set HF_TOKEN"):
        check_push("me/wavecoder")


def test_what_the_hub_refuses_is_one_line(folder, monkeypatch):
    """A hub that nobody listens at."""
    monkeypatch.setattr(huggingface_hub, "HfApi", lambda: huggingface_hub.hf_api.HfApi("http://127.0.0.1:9", token="t"))
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    with pytest.raises(ValueError, match="--push me/wavecoder: the hub refuses: ") as refused:
        push_model(folder, "me/wavecoder", dry_run=False)
    assert "\n" not in str(refused.value)
