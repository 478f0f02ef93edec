"""Model names → folders, and the lines for those that lead nowhere."""

import json
import os

import pytest

from core.object_store import open_url
from core.storage import write_bytes
from ray_jobs.run.models import PACKAGED, check_model, check_stored_adapters, model_digest, resolve_model, served_name
from tests.object_store import error


def test_ids_pass_through_and_folders_become_absolute(tmp_path):
    assert (
        resolve_model("deepseek-ai/deepseek-coder-6.7b-base", "train.model") == "deepseek-ai/deepseek-coder-6.7b-base"
    )
    (tmp_path / "config.json").write_text("{}")
    assert resolve_model(str(tmp_path), "train.model") == str(tmp_path)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "a/b/c", " ", "package:gpt-5"])
def test_a_name_that_leads_nowhere_names_the_key(name):
    with pytest.raises(ValueError, match=r"train\.model is") as caught:
        check_model(name, "train.model")
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_is_none(tmp_path):
    with pytest.raises(ValueError, match="holds no config.json"):
        resolve_model(str(tmp_path), "embed.model")


def folder_of(tmp_path, *names, index=()):
    tmp_path.mkdir(parents=True, exist_ok=True)
    for name in ("config.json", *names):
        (tmp_path / name).write_text("{}")
    if index:
        shards = json.dumps({"weight_map": dict(zip("abc", index, strict=False))})
        (tmp_path / "model.safetensors.index.json").write_text(shards)
    return str(tmp_path)


def test_a_folder_without_its_weights_is_refused_before_work_starts(tmp_path):
    with pytest.raises(ValueError, match=r"holds none of \*\.safetensors"):
        check_model(folder_of(tmp_path / "none", "model.bin"), "train.model")
    with pytest.raises(ValueError, match=r"lacks 1 of 2 shards, such as b\.safetensors"):
        check_model(folder_of(tmp_path / "cut", "a.safetensors", index=("a.safetensors", "b.safetensors")), "x")
    check_model(folder_of(tmp_path / "whole", "a.safetensors", index=("a.safetensors",)), "train.model")
    check_model(folder_of(tmp_path / "bin", "pytorch_model.bin"), "embed.model", files=("*.bin",))


def test_adapters_in_a_bucket_are_looked_at_before_an_engine_starts(store, monkeypatch):
    url = f"{store.bucket()}/adapters"
    fs, path = open_url(url)
    with pytest.raises(FileNotFoundError, match=f"serve.engine.adapters: {url} holds no folder with an adapter_config"):
        check_stored_adapters(url)
    write_bytes(fs, f"{path}/one/adapter_config.json", b"{}")
    with pytest.raises(FileNotFoundError, match=f"{url}/one holds no adapter_model.safetensors"):
        check_stored_adapters(url)
    write_bytes(fs, f"{path}/one/adapter_model.safetensors", b"1")
    check_stored_adapters(url)
    with pytest.raises(ValueError, match="name the endpoint by AWS_ENDPOINT_URL"):
        check_stored_adapters(f"{url}?endpoint_override=host:9000")
    store.fault = lambda environ: error("403 Forbidden", "AccessDenied")
    with pytest.raises(OSError, match=r"serve\.engine\.adapters: s3://.*lacks the right s3:ListBucket"):
        check_stored_adapters(url)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="fetches by boto3; run: pip install"):
        check_stored_adapters(url)


def test_offline_an_id_has_to_be_in_the_cache(tmp_path, monkeypatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    check_model("owner/absent", "train.model")  # may be fetched
    with pytest.raises(
        ValueError, match=r"train\.model is 'owner/absent', which is no folder .* hf download owner/absent"
    ):
        check_model("owner/absent", "train.model", offline=True)
    with pytest.raises(ValueError, match="or take package:all-minilm-l6-v2"):
        check_model("all-MiniLM-L6-v2", "embed.model", offline=True)
    stored = tmp_path / "models--owner--here"
    folder_of(stored / "snapshots" / "abc", "model.safetensors")
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("abc")
    check_model("owner/here", "train.model", offline=True)
    (stored / "snapshots" / "abc" / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="holds none of"):
        check_model("owner/here", "train.model", offline=True)
    check_model("s3://bucket/model", "generate.generator.model", offline=True, stores=False)


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_models_are_there(name):
    check_model(name, "train.model")


def test_the_digest_changes_with_the_settings_and_the_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    first = model_digest(str(tmp_path))
    assert model_digest(str(tmp_path)) == first
    (tmp_path / "model.safetensors").write_bytes(b"0" * 10)
    assert model_digest(str(tmp_path)) != first
    assert model_digest("owner/name") == "owner/name"


@pytest.mark.parametrize(
    ("model", "name"),
    [("package:smollm2-135m-instruct", "smollm2-135m-instruct"), ("a/b", "b"), ("/x/y/", "y"), ("./model", "model")],
)
def test_clients_ask_for_the_last_part(model, name):
    assert served_name(model) == name


def in_store(store, folder, name="tiny"):
    """The URL of a copy of a folder."""
    url = f"{store.bucket()}/models/{name}"
    fs, root = open_url(url)
    for file in folder.rglob("*"):
        if file.is_file():
            write_bytes(fs, f"{root}/{file.relative_to(folder).as_posix()}", file.read_bytes())
    return url


def test_a_model_in_a_store_has_the_digest_of_its_folder(store, tmp_path):
    folder_of(tmp_path, "a.safetensors", "pytorch_model.bin", index=("a.safetensors",))
    folder_of(tmp_path / "1_Pooling", "1-more.json")
    (tmp_path / "large.safetensors").write_bytes(os.urandom(5 * 2**20))
    url = in_store(store, tmp_path)
    assert model_digest(url) == model_digest(str(tmp_path))
    store.requests.clear()
    assert model_digest(url) == model_digest(str(tmp_path))
    assert store.counts() == {"LIST": 1}  # what is listed was read before
    check_model(url, "train.model")
    assert resolve_model(url, "train.model") == url
    assert served_name(f"{url}?region=eu-central-1") == "tiny"


def test_a_store_without_the_model_is_refused_before_work_starts(store, tmp_path):
    with pytest.raises(OSError, match=r"train\.model: s3://.* holds no file"):
        check_model(f"{store.bucket()}/nothing", "train.model")
    with pytest.raises(ValueError, match=r"^train\.model: 'hub://owner/name' is no URL of an object store"):
        check_model("hub://me:secret@owner/name", "train.model")
    folder_of(tmp_path / "cut", "a.safetensors", index=("a.safetensors", "b.safetensors"))
    with pytest.raises(ValueError, match=r"lacks 1 of 2 shards, such as b\.safetensors"):
        check_model(in_store(store, tmp_path / "cut"), "train.model")
    folder_of(tmp_path / "none", "notes.txt")
    with pytest.raises(ValueError, match=r"holds none of \*\.safetensors"):
        check_model(in_store(store, tmp_path / "none"), "train.model")
    store.fault = error_of("403 Forbidden", "AccessDenied")
    with pytest.raises(OSError, match=r"train\.model: s3://.*s3:ListBucket"):
        check_model(f"{store.bucket()}/nothing", "train.model")


def test_no_key_of_a_url_is_told():
    with pytest.raises(ValueError, match=r"^serve\.engine\.adapters is 's3://bucket/mine'; Ray fetches") as told:
        check_stored_adapters("s3://me:secret@bucket/mine?region=here")
    assert "secret" not in str(told.value)


def error_of(status, code):
    return lambda environ: error(status, code) if environ["REQUEST_METHOD"] == "GET" else None
