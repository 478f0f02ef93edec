"""What a reasoning model thinks aloud, told from what it answers. Pure functions on text.

Each family of models has its own marks: <think> (DeepSeek-R1, Qwen), <thinking>, <reasoning>, [THINK] (Magistral),
◁think▷ (Kimi), <seed:think> (Seed-OSS), <|begin_of_thought|> (Sky-T1), <|START_THINKING|> (Command A),
<|channel|>analysis (gpt-oss).
"""

from __future__ import annotations

import re

_WORDS = (
    r"(?:seed:)?(?:think|thinking|thought|thoughts|reasoning|reason|reflection|analysis|scratchpad|inner_monologue"
    r"|chain_of_thought|cot|internal)"
)
_NAMES = r"(?:think|thinking|thought|thoughts|reasoning)"
_OPEN = re.compile(
    rf"<{_WORDS}(?:[ \t][^<>\n]*)?>|\[{_NAMES}\]|◁{_NAMES}▷|<\|(?:begin_of_)?{_NAMES}\|>|<\|START_THINKING\|>",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</{_WORDS}[ \t]*>|\[/{_NAMES}\]|◁/{_NAMES}▷|<\|(?:end_of_|/){_NAMES}\|>|<\|END_THINKING\|>", re.IGNORECASE
)
_FINAL = re.compile(r"<\|channel\|>\s*final\b[^<\n]*<\|message\|>")
_CHANNEL = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b[^<\n]*<\|message\|>(?:.*?<\|end\|>|.*)", re.DOTALL)


def split_thoughts(text: str) -> tuple[str, str]:
    """An answer → what is said, and what an unfinished thought holds.

    Thoughts that end are nobody's answer. One that never ends may be all that the model wrote, because its answer was
    cut off, or because it forgot the closing mark.
    """
    final = list(_FINAL.finditer(text))
    if final:
        return re.split(r"<\|(?:end|return|start)\|>", text[final[-1].end() :])[0], ""
    if _CHANNEL.search(text):
        return _CHANNEL.sub("", text), ""
    said, position, depth, opened = "", 0, 0, 0
    for mark in sorted([*_marks(_OPEN, text), *_marks(_CLOSE, text)], key=re.Match.start):
        closes = mark.re is _CLOSE
        if not closes and depth == 0:
            said += text[position : mark.start()]
            opened = mark.end()
        if closes and depth == 0:  # the opening mark was part of the prompt: all before was thought
            said = ""
        depth = max(0, depth + (-1 if closes else 1))
        position = mark.end()
    if depth:  # a second opening mark may be a word about thoughts: what follows the last close counts
        return said, text[opened:]
    return said + text[position:], ""


def without_thoughts(text: str) -> str:
    """What is said aloud; nothing of a thought that never ends."""
    said, unfinished = split_thoughts(text)
    return said if said != text or unfinished else text


def _marks(pattern: re.Pattern[str], text: str) -> list[re.Match[str]]:
    """Marks that stand in no string, as a program about markup may hold them."""
    return [match for match in pattern.finditer(text) if not _is_quoted(text, match)]


def _is_quoted(text: str, match: re.Match[str]) -> bool:
    """Whether a quotation begins before a mark and ends behind it, on its line."""
    before = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
    after = text[match.end() :].partition("\n")[0]
    before, after = (re.sub(r"(?<=\w)'(?=\w)", "", part) for part in (before, after))
    return any(before.count(quote) % 2 and after.count(quote) % 2 for quote in "\"'`")
