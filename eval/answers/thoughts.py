"""What a reasoning model thinks aloud, told from what it answers. Pure functions on text.

Each family of models has its own marks: <think> (DeepSeek-R1, Qwen), <thinking>, <reasoning>, [THINK] (Magistral),
◁think▷ (Kimi), <seed:think> (Seed-OSS), <longcat_think> (LongCat), <|begin_of_thought|> (Sky-T1), <|START_THINKING|>
(Command A), <|channel|>analysis (gpt-oss), <|channel>thought (Gemma). Others are asked for by prompts: <draft>, <plan>.
"""

from __future__ import annotations

import re
from bisect import bisect_left

_WORDS = (
    r"(?:\w+[:_]|ant)?(?:think|thinking|thought|thoughts|reasoning|reason|reflection|analysis|scratch_?pad|brainstorm(?:ing)?"
    r"|draft|plan|planning|critique|step_by_step|inner_monologue|chain_of_thought|cot|internal)(?:_\w+)?"
)
_NAMES = r"(?:think|thinking|thought|thoughts|reasoning)"
_OPEN = re.compile(
    rf"<think(?:ing)?>|(?<!\w)<{_WORDS}(?:[ \t][^<>\n]*)?>|\[{_NAMES}\]|◁{_NAMES}▷|<\|(?:begin_of_)?{_NAMES}\|>"
    rf"|<\|START_THINKING\|>|<\|channel>{_NAMES}\b",
    re.IGNORECASE,
)
_CLOSE = re.compile(
    rf"</{_WORDS}[ \t]*>|\[/{_NAMES}\]|◁/{_NAMES}▷|<\|(?:end_of_|/){_NAMES}\|>|<\|END_THINKING\|>|<channel\|>",
    re.IGNORECASE,
)
_FINAL = re.compile(r"<\|channel\|>\s*final\b[^<\n]*<\|message\|>")
_CHANNEL = re.compile(r"<\|channel\|>\s*(?:analysis|commentary)\b[^<\n]*<\|message\|>(?:.*?<\|end\|>|.*)", re.DOTALL)
_NEXT_TURN = re.compile(
    r"<\|im_start\|>\s*user|<\|start_header_id\|>\s*user|<(?:start_of_turn|\|turn)>\s*user|<[|｜]User[|｜]>|\[INST\]"
    r"|^[ \t]*#{2,}[ \t]*(?:Instruction|Question|User|Human)\b|^(?:Human|User|Q):[ \t]|^\[DONE\]|\[DONE\][ \t]*$",
    re.IGNORECASE | re.MULTILINE,
)

_QUOTE = re.compile(r"[\"`]|(?<!\w)'|'(?!\w)")


def first_turn(text: str) -> str:
    """An answer up to where the model goes on with a question of its own making; empty if it does not."""
    for mark in _NEXT_TURN.finditer(text):
        if text[: mark.start()].strip() and text[mark.end() :].strip():
            return text[: mark.start()]
    return ""


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
    quotes: dict[str, list[int]] = {quote: [] for quote in "\"'`"}
    for match in _QUOTE.finditer(text):
        quotes[match[0]].append(match.start())
    ends = [match.start() for match in re.finditer("\n", text)]
    return [match for match in pattern.finditer(text) if not _is_quoted(match, quotes, ends)]


def _is_quoted(match: re.Match[str], quotes: dict[str, list[int]], ends: list[int]) -> bool:
    """Whether a quotation begins before a mark and ends behind it, on its line.

    Args:
        match: the mark.
        quotes: kind → places of the quotation marks in the text.
        ends: places of its line ends.
    """
    line = bisect_left(ends, match.start())
    begin, end = ends[line - 1] if line else 0, ends[line] if line < len(ends) else match.endpos
    for places in quotes.values():
        before = bisect_left(places, match.start()) - bisect_left(places, begin)
        after = bisect_left(places, end) - bisect_left(places, match.end())
        if before % 2 and after % 2:
            return True
    return False
