"""Against a real S3 server: a model's folder copied to this node, whole or not at all, once however many ask."""

import os
import threading
import time
from pathlib import Path

import pytest

from core import node_copy as module
from core.node_copy import node_copy
from core.object_store import open_url
from core.storage import write_bytes
from tests.object_store import error, every, reset, when

FILES = {
    "config.json": b"{}", "tokenizer.json": b"{ }", "model.safetensors": b"w" * 3000, "pytorch_model.bin": b"p" * 3000,
    "1_Pooling/config.json": b"{  }",
}  # fmt: skip


@pytest.fixture
def model(store, tmp_path, monkeypatch):
    """The URL of a model's folder."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    url = f"{store.bucket()}/models/tiny"
    fs, root = open_url(url)
    for name, content in FILES.items():
        write_bytes(fs, f"{root}/{name}", content)
    store.requests.clear()
    return url


def found(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in Path(folder).rglob("*") if path.is_file()
    }


def rewrite(url, name, content):
    fs, root = open_url(url)
    write_bytes(fs, f"{root}/{name}", content)


def test_what_is_no_url_is_left_alone(tmp_path):
    assert node_copy(str(tmp_path)) == str(tmp_path)
    assert node_copy("owner/name") == "owner/name"


def test_a_copy_is_made_once_without_pickled_weights(store, model):
    copy = node_copy(model)
    assert Path(copy).name == "tiny"
    assert found(copy) == {name: content for name, content in FILES.items() if name != "pytorch_model.bin"}
    store.requests.clear()
    assert node_copy(model) == copy
    assert store.counts() == {"LIST": 1}
    assert "model.safetensors" not in found(node_copy(model, weights=False))


def test_changed_weights_are_another_copy(model):
    before = node_copy(model)
    rewrite(model, "model.safetensors", b"v" * 3001)
    after = node_copy(model)
    assert (Path(before) / "model.safetensors").read_bytes() == b"w" * 3000
    assert (Path(after) / "model.safetensors").read_bytes() == b"v" * 3001


def test_many_that_ask_at_once_fetch_once(store, model):
    copies, asked = [], [threading.Thread(target=lambda: copies.append(node_copy(model))) for _ in range(6)]
    for each in asked:
        each.start()
    for each in asked:
        each.join()
    assert len(copies) == 6
    assert len(set(copies)) == 1
    fetched = [request.path for request in store.requests if request.kind == "GET"]
    assert len(fetched) == len(set(fetched)) == len(FILES) - 1


def test_a_store_that_is_busy_is_asked_again(store, model):
    store.fault = every(3, error("503 Slow Down", "SlowDown"), reset)
    assert len(found(node_copy(model))) == len(FILES) - 1


def test_a_copy_that_fails_leaves_nothing(store, model, tmp_path):
    store.fault = when(lambda method, path: "model.safetensors" in path, error("403 Forbidden", "AccessDenied"))
    with pytest.raises(OSError, match=r"lacks the right s3:GetObject|refused without a reason"):
        node_copy(model)
    store.fault = None
    home = tmp_path / "cache" / "wavecoder" / "fetched"
    assert [path.name for path in home.iterdir() if path.is_dir()] == []
    assert len(found(node_copy(model))) == len(FILES) - 1


def test_what_is_not_there_is_said(store, model):
    with pytest.raises(FileNotFoundError, match="holds no file; correct the URL"):
        node_copy(f"{model}-other")


def test_a_name_that_would_leave_the_folder_is_refused(model, monkeypatch):
    listing = module.open_url

    def with_escape(url):
        fs, path = listing(url)

        class Listed:
            def get_file_info(self, selector):
                info = fs.get_file_info(selector)[0]
                return [
                    type("Info", (), {"path": f"{path}/../../x", "size": 1, "mtime_ns": 1, "is_file": info.is_file})()
                ]

        return Listed(), path

    monkeypatch.setattr(module, "open_url", with_escape)
    with pytest.raises(ValueError, match="would leave its folder"):
        node_copy(model)


def test_a_copy_that_nobody_wants_any_more_goes(model):
    old = Path(node_copy(model)).parent
    os.utime(old, (0, time.time() - module.UNUSED_S - 60))
    rewrite(model, "config.json", b"{    }")
    node_copy(model)
    assert not old.exists()
