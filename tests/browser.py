"""Headless Chromium for tests of pages, driven through its debugging protocol."""

import asyncio
import json
import shutil
import subprocess
import time
from contextlib import contextmanager

import aiohttp
import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


class Browser:
    """A tab."""

    def __init__(self, socket):
        self._socket, self._last, self.complaints = socket, 0, []

    async def call(self, method, **params):
        self._last += 1
        await self._socket.send_json({"id": self._last, "method": method, "params": params})
        while True:
            message = await asyncio.wait_for(self._socket.receive_json(), 20)
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

    async def key(self, key):
        for kind in ("keyDown", "keyUp"):
            await self.call("Input.dispatchKeyEvent", type=kind, key=key, text=key if kind == "keyDown" else "")


@contextmanager
def browsing(folder, ready):
    """Gives a function of a URL and a coroutine function, which is run with a tab once `ready` holds on the page."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium")
    process = subprocess.Popen(
        [CHROMIUM, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
         "--disable-background-networking", "--no-proxy-server", "--remote-debugging-port=0",
         f"--user-data-dir={folder / 'chromium'}", "about:blank"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address = folder / "chromium" / "DevToolsActivePort"
    deadline = time.monotonic() + 30
    try:
        while not (address.exists() and address.read_text().count("\n")):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        port = address.read_text().split()[0]
        yield lambda url, actions: asyncio.run(_visit(port, url, ready, actions))
    finally:
        process.terminate()
        process.wait(10)


async def _visit(port, url, ready, actions):
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as response:
            tab = next(page for page in await response.json(content_type=None) if page["type"] == "page")
        async with session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as connection:
            browser = Browser(connection)
            await browser.call("Log.enable")
            await browser.call("Runtime.enable")
            await browser.call("Page.navigate", url=url)
            await browser.until(ready)
            await actions(browser)
            assert browser.complaints == []
