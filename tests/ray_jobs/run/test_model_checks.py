"""What training would refuse is refused before anything is spent, also of a hub id that lies in the cache."""

import shutil
from pathlib import Path

import pytest
from huggingface_hub import constants

from ray_jobs.run.config import load_config
from ray_jobs.run.model_checks import check_models

ROOT = Path(__file__).parents[3]


def checked(*overrides):
    check_models(load_config(str(ROOT / "configs" / "demo.yaml"), ["ray.offline=true", *overrides]), here=True)


@pytest.fixture
def cached(tiny_llama, tmp_path, monkeypatch):
    """The tiny model under a hub id."""
    commit = "0123456789012345678901234567890123456789"
    folder = tmp_path / "models--me--tiny"
    shutil.copytree(tiny_llama, folder / "snapshots" / commit)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text(commit)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return folder / "snapshots" / commit


def test_a_cached_model_that_knows_too_few_positions_is_refused_by_its_id(cached):
    with pytest.raises(ValueError, match="train.max_length is 9000 but train.model 'me/tiny' knows 512 positions"):
        checked("train.model=me/tiny", "train.max_length=9000")


def test_a_cached_model_of_another_architecture_is_refused_by_its_id(cached):
    config = cached / "config.json"
    config.write_text(config.read_text().replace('"num_hidden_layers": 2', '"num_hidden_layers": 3'))
    with pytest.raises(ValueError, match="train.model 'me/tiny': its files lack 9 weights of its architecture"):
        checked("train.model=me/tiny", "train.max_length=256")
