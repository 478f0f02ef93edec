"""The page of `wavecoder watch`: shown by a real browser, closed to everybody else."""

import asyncio
import base64
import os
import threading
import time
from pathlib import Path

import uvicorn
from starlette.testclient import TestClient

from ray_jobs.watching.server import application
from tests.browser import browsing

FOUND = {
    "run": "s3://bucket/wavecoder/ds", "at": 1795917600.0, "every_s": 2.0, "error": "", "cluster": "",
    "stages": [
        {"stage": "collect", "state": "done", "made": 23, "of": 23, "unit": "parts", "rows_in": 2_000_000,
         "rows_out": 1_118_090, "seconds": 141.0, "attempts": 1, "dropped": {}},
        {"stage": "embed", "state": "running", "made": 9, "of": 23, "unit": "parts", "rows_in": None, "rows_out": None,
         "seconds": 88.0, "attempts": 2, "dropped": {}},
        {"stage": "select", "state": "not begun", "made": 0, "of": None, "unit": "parts", "rows_in": None,
         "rows_out": None, "seconds": None, "attempts": 0, "dropped": {}},
    ],
    "nodes": [{"node": "10.0.0.1 (head)", "resources": {}, "runs": {}},
              {"node": "10.0.0.7", "resources": {"CPU": 8, "GPU": 1}, "runs": {"MapWorker(EncodeRows)": 1, "<b>x</b>": 2}}],
}  # fmt: skip


def test_only_who_knows_the_secret_is_shown_anything():
    app, secret = application(lambda: FOUND)
    client = TestClient(app, base_url="http://127.0.0.1:8080")
    assert client.get(f"/{secret}/state").json() == FOUND
    assert client.get("/wrong/state").status_code == 404
    assert client.get(f"/{secret}/state", headers={"host": "evil.example:80"}).status_code == 404
    assert "default-src 'none'" in client.get(f"/{secret}/").headers["content-security-policy"]


def test_a_browser_shows_stages_and_nodes_in_light_and_dark(tmp_path):
    app, secret = application(lambda: FOUND)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error", lifespan="off", ws="none"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]

    async def look(page):
        shown = await page.js("document.body.innerText")
        for text in ("s3://bucket/wavecoder/ds", "1,118,090", "9 of 23 parts", "attempt 2", "10.0.0.7", "2 × <b>x</b>"):
            assert text in shown
        for scheme, paper in (("light", "rgb(255, 255, 255)"), ("dark", "rgb(20, 24, 31)")):
            await page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
            assert await page.js("getComputedStyle(document.body).backgroundColor") == paper
        assert page.complaints == []
        if target := os.environ.get("WATCH_PICTURE"):
            picture = await page.call("Page.captureScreenshot", format="png")
            await asyncio.to_thread(Path(target).write_bytes, base64.b64decode(picture["data"]))

    try:
        with browsing(tmp_path, "document.body?.dataset.ready") as browse:
            browse(f"http://127.0.0.1:{port}/{secret}/", look)
    finally:
        server.should_exit = True
        thread.join()
