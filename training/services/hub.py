"""A trained model's folder → a private repository of the Hugging Face hub, model card included. No Ray here."""

from __future__ import annotations

import logging
import re
from pathlib import Path

log = logging.getLogger("wavecoder.training")

_REPOSITORY = re.compile(r"[\w.-]+/[\w.-]+", re.ASCII)


def check_push(repository: str) -> None:
    """Refuse a push before anything is trained for it.

    Args:
        repository: owner/name.

    Raises:
        ValueError: it is no name of a repository, or there is no token.
    """
    from huggingface_hub import get_token

    if not _REPOSITORY.fullmatch(repository):
        raise ValueError(f"--push {repository!r} is no repository of the hub; give OWNER/NAME")
    if get_token() is None:
        raise ValueError("--push needs a token of the hub that may write; set HF_TOKEN")


def push_model(folder: Path, repository: str, *, dry_run: bool) -> None:
    """Send a folder that `export_model` wrote; a repository that is not there yet is made, private.

    Args:
        folder: of the model.
        repository: owner/name.
        dry_run: only say what would be sent; asks nobody.

    Raises:
        ValueError: there is no model, or the hub refuses.
    """
    if not any(folder.glob("*.safetensors")) or not (folder / "README.md").is_file():
        raise ValueError(f"--push: {folder} holds no trained model with its card; run: wavecoder train")
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    sizes = ", ".join(f"{file.relative_to(folder)} ({file.stat().st_size:,} bytes)" for file in files)
    log.info("train: %s %s to %s: %s", "would push" if dry_run else "pushing", folder, repository, sizes)
    if dry_run:
        return
    from huggingface_hub import HfApi

    hub = HfApi()
    try:
        hub.create_repo(repository, private=True, exist_ok=True)
        sent = hub.upload_folder(repo_id=repository, folder_path=folder, commit_message="A model tuned on CodeOcean")
    except Exception as error:  # noqa: BLE001 - the hub's own, and its HTTP client's
        raise ValueError(f"--push {repository}: the hub refuses: {' '.join(str(error).split())[:300]}") from None
    log.info("train: pushed to %s", sent)
