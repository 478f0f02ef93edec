"""The playground by axe-core: contrast, labels and roles, light and dark, wide and on a phone.

`WAVECODER_AXE` names axe-core's file `axe.min.js` (`npm install axe-core`, version 4.14 was tried); without it the test
is skipped.
"""

import os
from pathlib import Path

import pytest

from tests.browser import browsing

AXE = Path(os.environ.get("WAVECODER_AXE", "node_modules/axe-core/axe.min.js"))
FOUND = "axe.run().then((found) => found.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 200))]))"
TOOL = '[{"type": "function", "function": {"name": "weather"}}]'


@pytest.mark.skipif(not AXE.is_file(), reason="axe-core is not installed: WAVECODER_AXE is to name its axe.min.js")
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_axe_finds_nothing(gateway, upstream, tmp_path, scheme, width):
    running = gateway(keys=False)

    async def look(browser, when):
        assert await browser.js(FOUND) == [], when
        assert await browser.js("document.documentElement.scrollWidth <= innerWidth"), when

    async def actions(browser):
        await browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 500
        )
        await browser.js(AXE.read_text() + "; null")
        await browser.until("document.querySelector('#model').options.length === 2")
        await look(browser, "before anything is asked")
        await browser.js(
            "document.querySelector('details').open = true; document.querySelector('#key-label').hidden = false"
        )
        await look(browser, "with tools and key shown")
        await browser.js("document.querySelector('#send').click()")
        await browser.until(
            "document.querySelector('#stop').disabled && document.querySelectorAll('.turn').length === 2"
        )
        await look(browser, "with an answer")
        upstream.error = (500, "{}", {})
        await browser.js(
            "document.querySelector('#instruction').value = 'again'; document.querySelector('#send').click()"
        )
        await browser.until("document.body.innerText.includes('the engine failed')")
        await look(browser, "with an error")
        upstream.error, upstream.pause_s = None, 1.0
        await browser.js(
            "document.querySelector('#instruction').value = 'again'; document.querySelector('#send').click()"
        )
        await browser.until("!document.querySelector('#stop').disabled")
        await look(browser, "while an answer comes")

    with browsing(tmp_path, "document.querySelectorAll('nav button').length === 5") as visit:
        visit(running.url + "/", actions)
