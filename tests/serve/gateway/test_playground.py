"""The page at `/`: what it is served with, and what it does in a real browser."""

import asyncio
import json
import re
import shutil
import subprocess

import aiohttp
import pytest

from serve.gateway.playground import PAGE, content_security_policy
from tests.serve.stub import until

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def test_the_page_brings_all_it_needs_and_trusts_nobody(gateway):
    running = gateway()
    response = running.client.get("/", headers={"Authorization": ""})  # the page is no secret
    assert response.status_code == 200
    policy = response.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert len(re.findall("'sha256-", policy)) == 2
    assert re.findall(rb"(?:src|href)=\"(?!data:)|https?://|innerHTML|localStorage|document.cookie", PAGE) == []
    assert "sha256-" not in content_security_policy(b"<p>no script</p>")


def test_it_can_be_turned_off(gateway):
    running = gateway(playground=False)
    assert running.client.get("/", headers={"Authorization": ""}).status_code == 401
    assert running.client.get("/").status_code == 404


class Browser:
    """A tab of headless Chromium, driven through its debugging protocol."""

    def __init__(self, socket):
        self._socket, self._last, self.complaints = socket, 0, []

    async def call(self, method, **params):
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": params})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), 10)
            if message.get("id") == self._last:
                return message["result"]
            entry = json.dumps(message.get("params"))
            if message.get("method") == "Runtime.exceptionThrown" or '"source": "security"' in entry:
                self.complaints.append(entry)

    async def js(self, expression):
        result = await self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    async def until(self, expression):
        for _ in range(200):
            if await self.js(expression):
                return
            await asyncio.sleep(0.05)
        raise AssertionError(f"{expression}; the page shows: {await self.js('document.body.innerText')}")


@pytest.fixture
def browse(tmp_path):
    """Runs a coroutine function with a tab that shows a URL."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    process = subprocess.Popen(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0",
         f"--user-data-dir={tmp_path / 'chromium'}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = tmp_path / "chromium" / "DevToolsActivePort"
    until(lambda: address.exists() and address.read_text().count("\n"), timeout_s=30)

    async def visit(url, actions):
        port = address.read_text().split()[0]
        async with aiohttp.ClientSession() as session:
            async with session.get(f"http://127.0.0.1:{port}/json") as response:
                tab = next(page for page in await response.json(content_type=None) if page["type"] == "page")
            async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket:
                browser = Browser(socket)
                await browser.call("Log.enable")
                await browser.call("Runtime.enable")
                await browser.call("Page.navigate", url=url)
                await browser.until("document.querySelectorAll('nav button').length === 5")
                return await actions(browser)

    yield lambda url, actions: asyncio.run(visit(url, actions))
    process.terminate()
    process.wait(10)


def test_a_task_is_tried_with_a_key_that_is_kept_nowhere(gateway, upstream, browse):
    running = gateway()
    upstream.words = ["<img src=x onerror=window.hacked=1>", " two", " three"]
    upstream.pause_s = 0.1

    async def actions(browser):
        await browser.until("!document.querySelector('#key-label').hidden")  # it was told 401
        await browser.js(
            f"document.querySelector('#key').value = '{running.secret}';"
            "document.querySelector('#key').dispatchEvent(new Event('change'))"
        )
        await browser.until("document.querySelector('#model').options.length === 2")
        await browser.js("[...document.querySelectorAll('nav button')].find((b) => b.textContent === 'Repair').click()")
        await browser.js("document.querySelector('#send').click()")
        await browser.until("document.querySelector('.assistant')?.textContent.endsWith('two')")  # as it comes
        await browser.until("document.querySelector('#stop').disabled")
        figures = await browser.js("document.querySelector('#figures').textContent")
        assert re.fullmatch(r"first token \d+ ms · [\d.]+ tokens/s · 3 tokens · [\d.]+ s", figures)
        shown = await browser.js("document.querySelector('.assistant').textContent")
        assert shown == "<img src=x onerror=window.hacked=1> two three"
        assert await browser.js("window.hacked === undefined && document.images.length === 0")
        kept = "JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + location.href"
        assert running.secret not in await browser.js(kept)
        assert browser.complaints == []  # the policy had nothing to stop

    browse(running.url + "/", actions)
    (_, sent, _) = upstream.seen[-1]
    assert "\n\n### Input:\ndef last(items):" in sent["messages"][-1]["content"]


def test_stop_frees_the_engine_and_a_chat_remembers(gateway, upstream, browse):
    running = gateway(keys=False)

    async def actions(browser):
        await browser.until("document.querySelector('#model').options.length === 2")
        assert await browser.js("document.querySelector('#key-label').hidden")
        for turn in (1, 2):
            await browser.js("document.querySelector('#instruction').value = 'hi'; send()")
            assert await browser.js(f"document.querySelectorAll('.assistant').length === {turn}")
        upstream.pause_s = 60.0
        await browser.js("document.querySelector('#instruction').value = 'go on'; send(); null")
        await browser.until("document.querySelectorAll('.assistant')[2]?.textContent === 'one '")
        await browser.js("document.querySelector('#stop').click()")
        await browser.until("!document.querySelector('#send').disabled")

    browse(running.url + "/", actions)
    until(lambda: upstream.gone == 1)
    assert [message["role"] for message in upstream.seen[-1][1]["messages"]] == ["user", "assistant"] * 2 + ["user"]
