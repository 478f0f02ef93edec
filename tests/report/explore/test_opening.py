"""A large run shows its first rows before it is indexed, and then all of them; what stops it is told."""

import asyncio
import threading
from concurrent.futures import CancelledError

import pytest
from starlette.testclient import TestClient

from report.explore import index
from report.explore.apart import write_index_apart
from report.explore.index import run_files
from report.explore.opening import Opening
from report.explore.rows import Explorer, Filter
from report.explore.server import ExplorerServer
from tests.report.explore.conftest import make_run


@pytest.fixture
def large(run, monkeypatch):
    """A run that counts as large."""
    monkeypatch.setattr(index, "LARGE_BYTES", 0)
    return run


@pytest.mark.parametrize("gone", [[], ["select"], ["select", "generate", "codeocean"]])
def test_the_first_rows_are_those_of_the_index(run, gone):
    for name in gone:
        (run / name).rename(run / f"no-{name}")
    first, all_ = Explorer(run, first=3), Explorer(run)
    assert (first.total, first.whole, all_.total) == (3, False, 8)
    assert first.page(Filter())["rows"] == all_.page(Filter())["rows"][:3]
    shown = first.page(Filter())["rows"][0]["raw_id"]
    assert first.row(shown) == all_.row(shown)


def test_first_rows_are_served_until_all_are_indexed(large):
    other = make_run(large.parent / "other", rows=4)
    opening = Opening(large, other)
    assert opening.late
    assert not list((large / ".explore").glob("index-*"))
    server = ExplorerServer(*opening.shown)
    client = TestClient(server.app(), base_url="http://127.0.0.1:80", headers={"host": "127.0.0.1:80"})

    def asked(name):
        answer = client.get(f"/{server.secret}/api/{name}")
        return answer.json() | {"status": answer.status_code}

    about = asked("about")
    assert (about["whole"], about["other"], len(asked("rows")["rows"])) == (False, None, 8)
    assert [asked(name)["status"] for name in ("map", "neighbours?raw_id=r1")] == [400, 400]
    client.post(f"/{server.secret}/api/mark", json={"id": "g2", "mark": "drop"})
    opening.finish(server.show)
    about = asked("about")
    assert (about["whole"], about["other"]) == (True, str(other))
    assert {row["beside"] for row in asked("rows")["rows"]} == {"kept", "not there", "dropped"}
    assert [row["raw_id"] for row in asked("rows?mark=drop")["rows"]] == ["r2"]
    assert len(asked("map")["points"]) == 8
    opening.close()
    assert not Opening(large, other).late


def test_the_page_shows_first_rows_and_takes_up_all(large, serve_app, browse, monkeypatch):
    monkeypatch.setattr("report.explore.opening.PAGE_ROWS", 3)
    opening = Opening(large)
    server = ExplorerServer(*opening.shown)
    enabled = "[...document.querySelectorAll('#filters :is(input, select, button), #show-map')].filter((one) => !one.disabled).length"

    async def actions(browser):
        await browser.until("document.querySelector('#status').textContent === 'the first 3 rows'")
        assert await browser.js(enabled) == 0
        assert "All others are being indexed" in await browser.js("document.querySelector('#indexed').innerText")
        await browser.key("j")
        await browser.until("document.querySelector('#detail pre')?.textContent.includes('<script>')")
        await asyncio.to_thread(opening.finish, server.show)
        await browser.until("document.querySelector('#status').textContent === '8 of 8 rows, from 1'")
        assert await browser.js("document.querySelectorAll('#filters :disabled, #show-map:disabled').length") == 0
        assert await browser.js("document.querySelector('#indexed').hidden")

    browse(serve_app(server), actions)
    opening.close()


def test_a_making_that_is_stopped_leaves_nothing(large):
    opening = Opening(large)
    opening.stop()
    with pytest.raises(CancelledError):
        opening.finish(lambda *_: None)
    opening.close()
    assert list((large / ".explore").iterdir()) == []


def test_a_making_ends_with_the_one_who_asked(run):
    files, asked = run_files(run), threading.Event()

    def go_on(_):
        asked.set()
        return False

    with pytest.raises(CancelledError):
        write_index_apart(files, None, files.folder / "there", go_on)
    assert asked.is_set()


def test_a_file_that_cannot_be_read_is_said_at_once(large):
    (large / "collect" / "part-00000.parquet").write_bytes(b"none")
    with pytest.raises(ValueError, match="cannot be read .*run its stages again"):
        Opening(large)
    assert list((large / ".explore").iterdir()) == []


def test_a_full_disk_is_no_fault_of_the_run(tmp_path, monkeypatch):
    monkeypatch.setattr(index, "MAKING_MEMORY", "1MB")
    run = make_run(tmp_path / "run", rows=2000)
    with pytest.raises(
        ValueError, match=r"the index cannot be made in \S+\.explore \(Out of Memory.*\); free space there"
    ):
        Explorer(run)
