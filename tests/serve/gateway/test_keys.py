"""Keys at rest: what the file holds, who may change it, and what a running gateway makes of a change."""

import json
import stat
import threading
from datetime import UTC, datetime, timedelta

import pytest

from serve.gateway.app import Gateway
from serve.gateway.keys import KeyRing, create_key, read_keys, revoke_key, usage_path
from serve.gateway.limits import Limits
from serve.gateway.settings import GatewayConfig

NOW = datetime.now(UTC)


def test_the_file_holds_no_key_and_only_its_owner_reads_it(tmp_path):
    file = tmp_path / "sub" / "keys.json"
    secret, key = create_key(file, name="ada", models=("wavecoder",), limits=Limits(requests_per_minute=3))
    assert secret.startswith(f"wc-{key.id}-")
    assert secret.split("-", 2)[2] not in file.read_text()
    assert len(secret) > 43
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert read_keys(file) == (key,)
    assert "metrics" not in key.routes


def test_a_ring_finds_good_keys_only(tmp_path):
    file = tmp_path / "keys.json"
    good, key = create_key(file, name="good", expires=NOW + timedelta(hours=1))
    revoked, other = create_key(file, name="bad")
    ring = KeyRing(file)
    assert ring.find(good, NOW) == key
    assert ring.find(good, NOW + timedelta(hours=1)) is None  # expired
    assert ring.find(revoked, NOW) == other
    revoke_key(file, other.id)
    assert ring.find(revoked, NOW) is None  # without a restart
    for wrong in ("", good[:-1], good + "x", good.swapcase(), key.digest, key.id, "\udcff"):
        assert ring.find(wrong, NOW) is None


def test_revoking_keeps_the_first_time_and_names_an_unknown_id(tmp_path):
    file = tmp_path / "keys.json"
    with pytest.raises(FileNotFoundError, match="no file of keys"):
        revoke_key(file, "00000000")
    _, key = create_key(file, name="x")
    first = revoke_key(file, key.id)
    assert revoke_key(file, key.id) == first
    with pytest.raises(ValueError, match="no key 'nope'"):
        revoke_key(file, "nope")


def test_keys_made_at_the_same_time_are_all_kept(tmp_path):
    file = tmp_path / "keys.json"
    threads = [threading.Thread(target=create_key, args=(file,), kwargs={"name": f"n{n}"}) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(key.name for key in read_keys(file)) == sorted(f"n{n}" for n in range(20))


@pytest.mark.parametrize(
    "damage", [b"", b"[]", b"\xff", b'{"version": 2, "keys": []}', b'{"keys": [{"id": "a"}]}', None]
)
def test_a_damaged_file_lets_nobody_in(tmp_path, damage):
    file = tmp_path / "keys.json"
    secret, _ = create_key(file, name="x")
    ring = KeyRing(file)
    whole = file.read_bytes()
    file.unlink() if damage is None else file.write_bytes(damage)
    assert ring.find(secret, NOW) is None
    if damage is not None:
        with pytest.raises(ValueError, match="is no file of keys"):
            KeyRing(file)
    file.write_bytes(whole)
    file.chmod(0o600)
    assert ring.find(secret, NOW) is not None


def test_a_file_that_others_can_write_is_refused(tmp_path):
    file = tmp_path / "keys.json"
    create_key(file, name="x")
    file.chmod(0o620)
    with pytest.raises(ValueError, match="chmod 600"):
        read_keys(file)


def test_messages_never_show_a_digest(tmp_path):
    file = tmp_path / "keys.json"
    _, key = create_key(file, name="x")
    tree = json.loads(file.read_text())
    tree["keys"][0]["digest"] += "0"
    file.write_text(json.dumps(tree))
    with pytest.raises(ValueError) as caught:
        read_keys(file)
    assert key.digest not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "", "{", "[]", "3", '{"k": 3}', '{"k": {}}', "[" * 100_000, '{"k": {"day": "x"}}', "\ud800",
        '{"k": {"day": 1, "day_tokens": NaN, "total_tokens": 1, "total_requests": 1, "last_used": 1}}',
    ],
)  # fmt: skip
def test_a_damaged_usage_is_told_in_one_line(tmp_path, text):
    file = tmp_path / "keys.json"
    create_key(file, name="ada")
    usage_path(file).write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ValueError, match=r"keys.json.usage is damaged: .*; delete it to start counting anew"):
        Gateway(GatewayConfig(keys=str(file)), 100)
