"""The explorer over HTTP, and its page in a real browser."""

import json
import re
import urllib.error
import urllib.request

import pytest

from report.explore.rows import Explorer
from report.explore.server import PAGE, ExplorerServer
from tests.report.explore.conftest import make_run


@pytest.fixture
def serve(serve_app):
    """Serves a run, perhaps beside another; returns the page's URL."""

    def start(run, other=None, prompt=None):
        other = Explorer(other) if other else None
        return serve_app(ExplorerServer(Explorer(run, other), other, prompt))

    return start


def get(url, headers=None, data=None):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data, headers or {})) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def test_only_who_knows_the_address_sees_the_run(run, serve):
    url = serve(run)
    status, headers, page = get(url)
    assert (status, page) == (200, PAGE)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    secret = url.rstrip("/").rpartition("/")[2]
    assert get(url.replace(secret, "guess"))[0] == get(url.replace(secret, ""))[0] == 404
    assert get(f"{url}api/rows", {"Host": "attacker.example:80"})[0] == 404
    assert get(f"{url}api/mark", {"Content-Type": "text/plain"}, b"{}")[0] == 415
    assert b"innerHTML" not in PAGE and b"http://" not in PAGE and b"https://" not in PAGE


def test_questions_and_marks(run, serve):
    url = serve(run, prompt=lambda task, raw_id: {"generator": [{"role": "user", "content": f"{task} {raw_id}"}]})
    rows = json.loads(get(f"{url}api/rows?task=repair&state=dropped")[2])["rows"]
    assert [row["raw_id"] for row in rows] == ["r3"]
    assert json.loads(get(f"{url}api/prompt?task=repair&raw_id=r1")[2])["generator"][0]["content"] == "repair r1"
    for bad, said in (
        ("rows?start=x", "number of rows"),
        ("rows?least=x", "a number"),
        ("row?raw_id=none", "no row"),
        ("map?color=x", "no colour"),
    ):
        status, _, body = get(f"{url}api/{bad}")
        assert status == 400
        assert said in json.loads(body)["error"]
    marked = {"id": "g3", "mark": "keep", "note": "fine"}
    as_json = {"Content-Type": "application/json"}
    assert get(f"{url}api/mark", as_json, json.dumps(marked).encode())[0] == 200
    for body in (b"[]", b"{", json.dumps(marked | {"mark": "x"}).encode(), b"1" * 100_000):
        assert get(f"{url}api/mark", as_json, body)[0] == 400
    assert json.loads((run / "marks.json").read_text())["g3"]["note"] == "fine"
    assert json.loads(get(f"{url}api/row?raw_id=r3")[2])["mark"]["mark"] == "keep"
    assert json.loads(get(f"{url}api/counts?mark=keep")[2])["total"] == 1


def test_a_mark_that_cannot_be_saved_says_so_in_one_line(run, serve):
    url = serve(run)
    (run / ".marks.json.making").mkdir()  # in the way of the file that is written first
    asked = json.dumps({"id": "g3", "mark": "keep", "note": ""}).encode()
    status, _, body = get(f"{url}api/mark", {"Content-Type": "application/json"}, asked)
    assert status == 500
    assert re.fullmatch(r"the mark is not saved: .*/marks.json cannot be written \([^\n]*\)", json.loads(body)["error"])
    assert not json.loads(get(f"{url}api/counts?mark=keep")[2])["total"]


def test_a_run_whose_files_are_gone_says_so_in_one_line(run, serve):
    url = serve(run)
    for path in run.glob("generate/*/generations.parquet"):
        path.unlink()
    status, _, body = get(f"{url}api/rows?text=abc")
    assert status == 500
    assert json.loads(body)["error"].startswith("the run could not be asked: ")


def test_the_page_filters_shows_and_marks_by_keyboard_and_runs_nothing(run, serve, browse):
    url = serve(run)

    async def actions(browser):
        assert await browser.js("document.querySelectorAll('#list .item').length") == 8
        await browser.key("j")
        await browser.until("document.querySelector('#detail pre')?.textContent.includes('<script>')")
        assert await browser.js("window.hacked === undefined && document.images.length === 0")
        shown = await browser.js("document.querySelector('#detail').innerText")
        assert '(1, "a") → [2]\tpassed\t2 of 2 solutions pass' in shown
        assert "assert f(0) is None\tpassed\t1 of 2 solutions pass" in shown
        assert "refused: too large (2)" in shown
        await browser.js("document.querySelector('#detail details:nth-last-of-type(2)').open = true")
        await browser.until("document.querySelector('#detail details button')?.textContent.includes('python')")
        await browser.key("x")
        await browser.until("document.querySelector('#list .item').textContent.includes('marked drop')")
        await browser.js(
            "(() => { const one = document.querySelector('select[name=language]'); one.value = 'go'; one.dispatchEvent(new Event('change')); })()"
        )
        await browser.until("document.querySelector('#status').textContent.startsWith('4 of 8 rows')")
        await browser.key("m")
        await browser.until("document.querySelector('#legend').textContent.includes('8 rows')")
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=1, mobile=True
        )
        assert await browser.js("document.documentElement.scrollWidth <= 360")
        await browser.js(
            "(() => { const one = document.querySelector('#color'); one.value = 'radius'; one.dispatchEvent(new Event('change')); })()"
        )
        await browser.until("document.querySelector('#legend').textContent.includes('0.467 to 1 (2)')")
        assert not await browser.js("document.querySelector('#more').open")
        await browser.key("m")
        await browser.js("document.querySelector('#list .item').click()")
        await browser.until("Math.abs(document.querySelector('#detail').getBoundingClientRect().top) < 10")
        await browser.js("document.querySelector('#detail .back').click()")
        await browser.until("Math.abs(document.querySelector('#list').getBoundingClientRect().top) < 10")
        labels = "[...document.querySelectorAll('input, select')].filter((one) => !one.labels?.length && !one.ariaLabel).length"
        assert await browser.js(labels) == 0
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=1280, height=740, deviceScaleFactor=1, mobile=False
        )
        await browser.until("document.querySelector('#more').open")

    browse(url, actions)
    assert json.loads((run / "marks.json").read_text())["g0"]["mark"] == "drop"


def test_two_runs_stand_side_by_side(run, serve, browse, tmp_path):
    url = serve(run, make_run(tmp_path / "other", rows=5))

    async def actions(browser):
        await browser.key("j")
        await browser.until("document.querySelectorAll('#detail .runs > div').length === 2")
        assert "the other run" in await browser.js("document.querySelector('#facets').textContent")

    browse(url, actions)
