"""`wavecoder keys` as an operator uses it."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from ray_jobs.cli import main
from ray_jobs.keys import expiry
from serve.gateway.keys import KeyRing, read_keys
from serve.gateway.limits import SAVED


def keys(capsys, *arguments):
    code = main(["keys", *map(str, arguments)])
    shown = capsys.readouterr()
    return code, shown.out, shown.err


def test_a_key_is_made_shown_once_listed_and_revoked(tmp_path, capsys):
    file = tmp_path / "keys.json"
    code, out, err = keys(capsys, "create", "--keys", file, "--name", "ada", "--expires", "2w", "--models", "m",
                          "--routes", "chat", "models", "--requests-per-minute", 60, "--tokens-total", 1000)  # fmt: skip
    secret = out.strip()
    assert code == 0
    assert secret not in err
    key = KeyRing(file).find(secret, datetime.now(UTC))
    assert (key.name, key.models, key.routes) == ("ada", ("m",), ("chat", "models"))
    assert (key.limits.requests_per_minute, key.limits.tokens_total, key.limits.parallel) == (60, 1000, None)
    assert timedelta(days=13) < key.expires - datetime.now(UTC) <= timedelta(days=14)
    (tmp_path / "keys.json.usage").write_text(json.dumps({key.id: dict.fromkeys(SAVED, 0) | {"total_tokens": 4711}}))
    code, out, _ = keys(capsys, "list", "--keys", file)
    assert code == 0
    assert all(word in out for word in (key.id, "ada", "active", "4711"))
    assert secret.split("-", 2)[2] not in out
    assert key.digest not in out
    code, _, err = keys(capsys, "revoke", key.id, "--keys", file)
    assert (code, "revoked" in err) == (0, True)
    assert read_keys(file)[0].standing(datetime.now(UTC)) == "revoked"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["create", "--name", "x", "--expires", "soon"], "--expires 'soon' should be"),
        (["create", "--name", ""], "--name '': string should have at least 1 character"),
        (["create", "--name", "x", "--parallel", "0"], "--parallel 0: input should be greater than 0"),
        (["list"], "keys.json"),
        (["revoke", "abc"], "there is no file of keys"),
    ],
)
def test_a_mistake_is_one_line(tmp_path, capsys, arguments, line):
    code, out, err = keys(capsys, *arguments, "--keys", tmp_path / "keys.json")
    assert (code, out) == (2, "")
    (shown,) = err.strip().splitlines()
    assert line in shown


def test_lifetimes():
    now = datetime(2026, 1, 1, tzinfo=UTC)
    assert expiry(None, now) is None
    assert expiry("36h", now) == now + timedelta(hours=36)
    for wrong in ("0d", "1.5d", "-1d", "1 d", "d", "99999999d", ""):
        with pytest.raises(ValueError, match="--expires"):
            expiry(wrong, now)


def test_every_option_out_of_bounds_is_named(tmp_path, capsys):
    limits = ["--requests-per-minute", "0", "--parallel", "-4"]
    code = main(["keys", "create", "--keys", str(tmp_path / "keys.json"), "--name", "ada", *limits])
    line = capsys.readouterr().err
    assert code == 2
    assert "--requests-per-minute 0: " in line
    assert "--parallel -4: " in line


def test_lists_are_given_by_words_commas_or_again(tmp_path, capsys):
    file = tmp_path / "keys.json"
    for routes in (["--routes", "chat", "models"], ["--routes", "chat,models"], ["--routes=chat", "--routes=models"]):
        code, _, _ = keys(capsys, "create", *routes, "--keys", file, "--name", "ada", "--models", "a,b")
        assert code == 0
    assert {(key.routes, key.models) for key in read_keys(file)} == {(("chat", "models"), ("a", "b"))}


def test_a_script_reads_the_list(tmp_path, capsys):
    file = tmp_path / "keys.json"
    keys(capsys, "create", "--keys", file, "--name", "ada", "--parallel", 3)
    (key,) = json.loads(keys(capsys, "list", "--keys", file, "--json")[1])
    assert (key["name"], key["standing"], key["models"], key["requests"]) == ("ada", "active", None, 0)
    assert key["limits"]["parallel"] == 3
    assert "digest" not in key


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        (["crate", "--name", "x"], "Did you mean 'create'?"),
        (["list", "--kyes", "x"], "--keys"),
        (["create", "--keys", "k", "--name", "x", "--routes", "chta"], "'chta' is not one of"),
        (["create", "--keys", "k", "--name", "x", "--parallel", "many"], "--parallel"),
        (["revoke", "--keys", "k"], "Missing argument 'ID'"),
        ([], "Missing command"),
    ],
)
def test_a_mistyped_word_is_refused_with_what_was_meant(capsys, arguments, meant):
    with pytest.raises(SystemExit) as ended:
        main(["keys", *arguments])
    assert ended.value.code == 2
    assert meant in capsys.readouterr().err.splitlines()[-1]
