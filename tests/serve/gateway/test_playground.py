"""The page at `/`: what it is served with, and what it does in a real browser."""

import json
import re

import pytest

from core.page_policy import content_security_policy
from serve.gateway.playground import PAGE
from tests.browser import browsing
from tests.serve.stub import until


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


@pytest.fixture
def browse(tmp_path):
    """Runs a coroutine function with a tab that shows a URL."""
    with browsing(tmp_path, "document.querySelectorAll('nav button').length === 5") as visit:
        yield visit


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


@pytest.mark.parametrize(("width", "height"), [(1200, 800), (390, 780)])
def test_a_long_answer_is_followed_and_its_stop_stays_in_view(gateway, upstream, browse, width, height):
    running = gateway(keys=False)
    upstream.words = [f"line {number}\n" for number in range(120)]
    upstream.pause_s = 0.01
    place = "document.querySelector('{}').getBoundingClientRect().bottom"

    async def actions(browser):
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        await browser.call("Emulation.setDeviceMetricsOverride", **size)
        await browser.until("document.querySelector('#model').options.length === 2")
        await browser.js("document.querySelector('#send').focus(); document.querySelector('#send').click()")
        await browser.until("document.querySelector('.assistant')?.textContent.includes('line 60')")
        assert await browser.js(f"scrollY > 0 && {place.format('#turns')} <= innerHeight")
        assert await browser.js(f"{place.format('#stop')} <= innerHeight")
        await browser.js("scrollTo(0, 0)")  # whoever reads its beginning is left there
        await browser.until("document.querySelector('#stop').disabled")
        assert await browser.js("scrollY") == 0
        assert await browser.js(f"{place.format('#send')} <= innerHeight")
        assert await browser.js("document.activeElement.id") == "send"

    browse(running.url + "/", actions)


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


CONTRAST = """
(() => {  // elements whose text has less than 4.5 : 1 against what lies behind it, as the browser paints it
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const paint = (colour) => { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); };
  const light = () => [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3).map((value) => value / 255)
    .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
    .reduce((sum, value, place) => sum + value * [0.2126, 0.7152, 0.0722][place], 0);
  const isText = (element) => ["INPUT", "TEXTAREA", "SELECT"].includes(element.tagName) ||
    [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
  const poor = [];
  for (const element of document.body.querySelectorAll("*")) {
    if (!isText(element) || !element.checkVisibility() || element.disabled || element.tagName === "SCRIPT") continue;
    const over = [];
    for (let each = element; each; each = each.parentElement) over.unshift(each);
    paint("Canvas");
    for (const each of over) paint(getComputedStyle(each).backgroundColor);
    const behind = light();
    paint(getComputedStyle(element).color);
    const [low, high] = [behind, light()].sort((a, b) => a - b), ratio = (high + 0.05) / (low + 0.05);
    if (ratio < 4.5) poor.push(element.outerHTML.slice(0, 80) + " " + ratio.toFixed(2));
  }
  return poor;
})()
"""
LABELS = """
[...document.querySelectorAll("input, select, textarea")].filter((one) => !one.labels?.length && !one.ariaLabel)
  .map((one) => one.outerHTML)
"""


def pressing(browser, field, text="", key="Enter", modifiers=2):
    """Type into a field, as a user does, and press a key there."""

    async def press():
        await browser.js(f"document.querySelector('{field}').focus(); document.querySelector('{field}').select?.()")
        if text:
            await browser.call("Input.insertText", text=text)
        name = {"key": key, "code": key, "modifiers": modifiers, "windowsVirtualKeyCode": 27 if key == "Escape" else 13}
        await browser.call("Input.dispatchKeyEvent", type="keyDown", **name)
        await browser.call("Input.dispatchKeyEvent", type="keyUp", **name)

    return press()


def click(browser, what):
    return browser.js(f"document.querySelector('{what}').click()")


IDLE = "!document.querySelector('#send').disabled"
SHOWN = "[...document.querySelectorAll('.turn')].map((turn) => turn.className.split(' ')[1] + ': ' + turn.textContent)"


def asked_of(upstream):
    return [message["content"] for message in upstream.seen[-1][1]["messages"]]


@pytest.fixture
def trying(gateway, upstream, browse):
    """Runs a coroutine function with a tab that shows a playground without keys and its models."""
    running = gateway(keys=False)

    def run(actions):
        async def ready(browser):
            await browser.until("document.querySelector('#model').options.length === 2")
            await actions(browser)
            assert browser.complaints == []

        browse(running.url + "/", ready)

    return run


def test_clear_while_an_answer_comes_forgets_all_of_it(trying, upstream):
    upstream.pause_s = 0.5

    async def actions(browser):
        await pressing(browser, "#instruction", "an old matter")
        await browser.until("document.querySelector('.assistant')?.textContent.length > 0")
        await click(browser, "#clear")
        await browser.until(IDLE)
        await pressing(browser, "#instruction", "a new one")
        await browser.until("document.querySelector('.assistant')?.textContent.endsWith('three')")
        await browser.until(IDLE)
        assert await browser.js(SHOWN) == ["user: a new one", "assistant: one two three"]

    trying(actions)
    assert asked_of(upstream) == ["a new one"]


def test_after_a_stop_what_is_shown_is_what_is_sent(trying, upstream):
    upstream.pause_s = 60.0

    async def actions(browser):
        await pressing(browser, "#instruction", "first")
        await browser.until("document.querySelector('.assistant')?.textContent === 'one '")
        await pressing(browser, "#instruction", key="Escape", modifiers=0)
        await browser.until(IDLE)
        assert await browser.js(SHOWN) == ["user: first", "assistant: one Stopped."]
        upstream.pause_s = 0.0
        await pressing(browser, "#instruction", "second")
        await browser.until("document.querySelectorAll('.assistant')[1]?.textContent.endsWith('three')")
        assert asked_of(upstream) == ["first", "one ", "second"]
        await browser.until(IDLE)
        upstream.words, upstream.pause_s = [], 60.0
        upstream.raw = ("text/event-stream", b": thinking\n\n")  # and no word
        await pressing(browser, "#instruction", "third")
        await browser.until(IDLE)
        upstream.raw, upstream.words, upstream.pause_s = None, ["x"], 0.0
        assert await browser.js("document.querySelector('#instruction').value") == "third"
        assert [line for line in await browser.js(SHOWN) if "third" in line or line == "assistant: "] == []
        await pressing(browser, "#instruction")
        await browser.until("document.querySelectorAll('.assistant')[2]?.textContent === 'x'")
        assert asked_of(upstream) == ["first", "one ", "second", "one two three", "third"]

    trying(actions)


def test_the_keys_work_in_the_code_box_and_a_task_is_asked_by_itself(trying, upstream):
    async def actions(browser):
        await browser.js("[...document.querySelectorAll('nav button')].find((b) => b.textContent === 'Repair').click()")
        for code in ("x = 1", "x = 2"):
            await pressing(browser, "#input", code)
            await browser.until("document.querySelector('.assistant')?.textContent.endsWith('three')")
            await browser.until(IDLE)
            assert len(await browser.js(SHOWN)) == 2
            assert asked_of(upstream)[0].endswith(f"### Input:\n{code}")
            assert len(asked_of(upstream)) == 1

    trying(actions)


def test_errors_leave_no_empty_bubble_and_a_cut_is_told(trying, upstream):
    async def actions(browser):
        upstream.error = (400, json.dumps({"object": "error", "message": "context of 64 is full"}), {})
        await pressing(browser, "#instruction", "too long")
        await browser.until(IDLE)
        assert await browser.js(SHOWN) == ["error: context of 64 is full"]
        assert await browser.js("document.querySelector('#instruction').value") == "too long"
        upstream.error, upstream.break_after = None, 2
        await pressing(browser, "#instruction")
        await browser.until(IDLE)
        shown = await browser.js(SHOWN)
        assert shown[:2] == ["user: too long", "assistant: one two "]
        assert "broke off" in shown[2]
        upstream.break_after, upstream.finish = None, "length"
        await click(browser, "#clear")
        await pressing(browser, "#instruction", "more")
        await browser.until("document.querySelector('.note') !== null")
        assert await browser.js(SHOWN) == [
            "user: more", "assistant: one two threeCut off: the most tokens were reached."
        ]  # fmt: skip
        await browser.until(IDLE)
        upstream.finish = None
        await pressing(browser, "#instruction", "on")
        await browser.until("document.querySelectorAll('.assistant')[1]?.textContent.endsWith('three')")
        assert asked_of(upstream) == ["more", "one two three", "on"]  # the note is not the model's

    trying(actions)


def test_reasoning_is_counted_and_folded_and_calls_are_shown_as_json(trying, upstream):
    call = {"index": 0, "id": "c", "function": {"name": "look", "arguments": '{"at":'}}
    deltas = [{"role": "assistant", "content": ""}, {"reasoning": "hm "}, {"reasoning_content": "so"},
              {"content": "I look."}, {"tool_calls": [call]},
              {"tool_calls": [{"index": 0, "function": {"arguments": ' "x"}'}}]}]  # fmt: skip
    events = [{"choices": [{"index": 0, "delta": delta}]} for delta in deltas]
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events) + "data: [DONE]\n\n"

    async def actions(browser):
        upstream.raw = ("text/event-stream", body.encode())
        tools = [{"type": "function", "function": {"name": "look", "parameters": {}}}]
        await browser.js(f"document.querySelector('#tools').value = {json.dumps(json.dumps(tools))}")
        await pressing(browser, "#instruction", "look")
        await browser.until(IDLE)
        assert await browser.js("document.querySelector('.reasoning').open") is False
        assert await browser.js("document.querySelector('summary').textContent") == "Reasoning, 2 tokens"
        assert await browser.js("document.querySelector('.thoughts').textContent") == "hm so"
        assert json.loads(await browser.js("document.querySelector('.calls').textContent")) == [
            {"name": "look", "arguments": {"at": "x"}}
        ]
        assert "5 tokens" in await browser.js("document.querySelector('#figures').textContent")
        assert upstream.seen[-1][1]["tools"] == tools
        await browser.js("document.querySelector('#tools').value = '['")
        await pressing(browser, "#instruction", "again")
        await browser.until(IDLE)
        assert (await browser.js(SHOWN))[-1] == "error: Tools: this is not JSON"

    trying(actions)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_everybody_can_read_it_on_a_phone_too(trying, upstream, scheme):
    thought = {"choices": [{"index": 0, "delta": {"reasoning": "hm", "content": "x" * 300}, "finish_reason": "length"}]}
    body = f"data: {json.dumps(thought)}\n\ndata: [DONE]\n\n".encode()

    async def actions(browser):
        await browser.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await browser.call(
            "Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True
        )
        upstream.raw = ("text/event-stream", body)
        await pressing(browser, "#instruction", "hi")
        await browser.until(IDLE)
        upstream.raw, upstream.error = None, (500, "", {})
        await pressing(browser, "#instruction", "hi")
        await browser.until("document.querySelector('.error') !== null")
        await browser.js("document.querySelectorAll('details').forEach((one) => { one.open = true })")
        await browser.js("document.querySelector('#key-label').hidden = false")
        assert await browser.js(CONTRAST) == []
        assert await browser.js(LABELS) == []
        assert await browser.js("document.documentElement.scrollWidth <= innerWidth")

    trying(actions)
