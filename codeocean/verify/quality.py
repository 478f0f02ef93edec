"""Faults that a text shows by itself: no model, no sandbox. Each one has a name, by which it is counted.

- `repeats itself`: shares of duplicate sentences and of duplicate n-grams. Source: Rae et al. 2021 (Gopher,
  arXiv 2112.11446), table A1, as in datatrove's `GopherRepetitionFilter`. Code repeats itself by nature, so it has
  thresholds of its own, on tokens and on whole lines.
- `repeats the prompt`: most of the answer's n-grams are the prompt's.
- `dead code`: a statement behind a return (`codeocean/verify/dead_code.py`).
- `placeholder`: "your code here" and its kind, or a function whose body does nothing.
- `refusal`: an apology, or a model that speaks of itself.
- `other human language`: instruction and answer are written in different scripts, or different European languages.

What an instance was given (its input) is not held against its answer. Of code, comments and documentation count as
prose, and strings do not.

Not covered: repetition in other words, languages that share a script beside those of `_STOP_WORDS`.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Literal, get_args

from pydantic import Field, NonNegativeFloat, PositiveInt

from codeocean.syntax import has_empty_body, parse_snippet
from codeocean.verify.dead_code import has_dead_code
from core.settings import Settings

Share = NonNegativeFloat

Fault = Literal["refusal", "placeholder", "repeats itself", "repeats the prompt", "dead code", "other human language"]
FAULTS: tuple[Fault, ...] = get_args(Fault)
"""In the order in which they are looked for; the first one is the instance's reason."""


class QualityConfig(Settings):
    """Faults for which an accepted instance stops, and their thresholds."""

    faults: tuple[Fault, ...] = FAULTS
    """Which faults are looked for."""

    repeated_sentences: Share = 0.3
    """Most characters of prose in sentences that were there before, as a share (Gopher's duplicate lines: 0.30)."""

    repeated_5grams: Share = 0.15
    """Most characters of prose in 5-grams of words that were there before, as a share; for each word more up to ten it
    is 0.01 less (Gopher)."""

    repeated_lines: Share = 0.5
    """Most characters of code in lines that were there before, as a share; lines of few letters do not count."""

    repeated_tokens: Share = 0.6
    """Most characters of code in 10-grams of tokens that were there before, as a share."""

    min_words: PositiveInt = Field(default=12)
    """N-grams of shorter prose, and of code with fewer than four times as many tokens, are not looked at."""

    prompt_share: Share = 0.6
    """Most of the answer's 5-grams that may stand in the prompt, as a share."""


def find_fault(config: QualityConfig, instance: Mapping[str, Any], *, prose: bool, language: str) -> str:
    """The first of the configured faults that an instance has; empty where it has none.

    Args:
        config: which ones, and thresholds.
        instance: `instruction`, `information` and `solution`.
        prose: whether the solution is prose.
        language: of a solution that is code.

    Raises:
        ValueError: the language is unknown.
    """
    solution = instance["solution"]
    said = solution if prose else _comments(solution, language)
    own = _without(said, instance["information"])
    found: dict[Fault, Callable[[], bool]] = {
        "refusal": lambda: _refuses(instance["instruction"], own),
        "placeholder": lambda: (
            _PLACEHOLDER.search(own) is not None or (not prose and has_empty_body(solution, language))
        ),
        "repeats itself": lambda: _prose_repeats(config, solution) if prose else _code_repeats(config, solution),
        "repeats the prompt": lambda: _repeats_prompt(config, instance, said, prose=prose),
        "dead code": lambda: not prose and has_dead_code(solution, language),
        "other human language": lambda: _differ(instance["instruction"], own),
    }
    return next((fault for fault in config.faults if found[fault]()), "")


def repeated_share(words: Sequence[str], n: int) -> float:
    """Share of the characters of `words` that lie in n-grams which were there before.

    Counted as in datatrove: behind a repeated n-gram the next one begins.
    """
    seen: set[tuple[str, ...]] = set()
    repeated, place = 0, 0
    while place + n <= len(words):
        gram = tuple(words[place : place + n])
        if gram in seen:
            repeated += sum(map(len, gram))
            place += n
        else:
            seen.add(gram)
            place += 1
    return repeated / max(1, sum(map(len, words)))


def _share_of_repeats(parts: Sequence[str]) -> float:
    """Share of the characters that lie in parts which were there before."""
    seen: set[str] = set()
    repeated = 0
    for part in parts:
        repeated += len(part) if part in seen else 0
        seen.add(part)
    return repeated / max(1, sum(map(len, parts)))


def _prose_repeats(config: QualityConfig, text: str) -> bool:
    sentences = [" ".join(_words(part)) for part in re.split(r"[.!?。！？]+\s+|[\n。！？]+", text)]
    if _share_of_repeats([sentence.rstrip(".!?") for sentence in sentences if sentence]) > config.repeated_sentences:
        return True
    words = _words(text)
    return len(words) >= config.min_words and any(
        repeated_share(words, n) > config.repeated_5grams - 0.01 * (n - 5) for n in range(5, 11)
    )


def _code_repeats(config: QualityConfig, code: str) -> bool:
    lines = [" ".join(line.split()) for line in code.splitlines()]
    if _share_of_repeats([line for line in lines if len(re.findall(r"\w", line)) >= 8]) > config.repeated_lines:
        return True
    tokens = re.findall(r"\w+|[^\w\s]", code)
    return len(tokens) >= 4 * config.min_words and repeated_share(tokens, 10) > config.repeated_tokens


def _repeats_prompt(config: QualityConfig, instance: Mapping[str, Any], said: str, *, prose: bool) -> bool:
    """Code may document itself in the prompt's words, and repeat the code that it was given: a repair nearly does."""
    answer = _words(instance["solution"] if prose else _without(instance["solution"], said))
    prompt = _words(f"{instance['instruction']} {instance['information'] if prose else ''}")
    grams = [tuple(answer[place : place + 5]) for place in range(len(answer) - 4)]
    asked = {tuple(prompt[place : place + 5]) for place in range(len(prompt) - 4)}
    return bool(grams) and sum(gram in asked for gram in grams) / len(grams) > config.prompt_share


_PLACEHOLDER = re.compile(
    r"\byour (code|implementation|logic|solution)( goes)? here\b|\b(code|implementation|logic) goes here\b"
    r"|\b(add|insert|write|put|place|fill in) (your|the) (\w+ )?(code|implementation|logic|solution|details)\b"
    r"|\b(rest|remainder) of (the|your) (\w+ )?(code|function|method|class|implementation)\b"
    r"|\b(implement|complete) (me|this|the) ?(function|method|logic|code|part)? here\b"
    r"|\b(existing|other|previous|remaining) code (\w+ )?here\b|\b(same as (above|before)|as before) *\.\.\."
    r"|\bTODO\b\W*(implement|fill|complete|write)\b"
    r"( (it|this|me|here|later|the (function|method|logic|code|body)))?\W*$"
    r"|\[(insert|your|fill)\b[^\]\n]{0,60}\]|\blorem ipsum\b",
    re.IGNORECASE | re.MULTILINE,
)
_SPEAKS_OF_ITSELF = re.compile(
    r"\bas an? (AI|artificial intelligence|(large )?language model|(AI )?assistant)\b"
    r"|\bI('m| am) (just )?an? (AI|language model)\b"
    r"|\bI (cannot|can't|can not|won't|will not|could not|couldn't)( \w+)? "
    r"(help|assist|fulfil?l|comply|provide|answer|do that|"
    r"generate|complete|write|translate|summari[sz]e|determine|see)\b",
    re.IGNORECASE,
)
_APOLOGIZES = re.compile(
    r"\bI('m| am) (so |very |really )?(sorry|afraid)\b|\bI apologi[sz]e\b|\bmy apologies\b"
    r"|^\W*(sorry|apologies)\b"
    r"|\bI('m| am) (not able|unable) to\b"
    r"|\b(please provide|could you (please )?provide|need more (information|context|details))\b",
    re.IGNORECASE,
)


def _refuses(instruction: str, answer: str) -> bool:
    instruction, answer = instruction.replace("’", "'"), answer.replace("’", "'")
    return bool(_SPEAKS_OF_ITSELF.search(f"{instruction}\n{answer}") or _APOLOGIZES.search(answer))


def _comments(code: str, language: str) -> str:
    """Comments and documentation of code, as prose."""
    snippet = parse_snippet(code, language)
    if snippet is None:
        return ""
    found, pending = list[bytes](), [snippet.root]
    while pending:
        node = pending.pop()
        lone = node.type == "expression_statement" and [child.type for child in node.named_children] == ["string"]
        if "comment" in node.type or (lone and language == "python"):
            found.append(node.text or b"")
        else:
            pending.extend(reversed(node.children))
    return b"\n".join(found).decode("utf-8", "replace")


def _without(text: str, given: str) -> str:
    """The lines of a text that are not in what was given."""
    known = {line.strip() for line in given.splitlines()}
    return "\n".join(line for line in text.splitlines() if line.strip() not in known)


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.casefold())


_STOP_WORDS = {
    "en": "the of and to is a that it this from with for each which returns if by as an are in",
    "de": "der die das und ist nicht ein eine mit von zu den dem auf für wird als auch wenn gibt",
    "fr": "le la les des et est une un dans que qui pour sur avec du au pas par ce cette renvoie",
    "es": "el la los las de y es una un que en por con para del se no como su devuelve",
    "pt": "o a os as de e é uma um que em por com para do da se não como seu retorna",
    "it": "il lo la gli le di e è una un che in per con del della non si come restituisce",
    "nl": "de het een en is van dat die voor met op niet als wordt geeft te aan door",
    "pl": "i w na jest nie że się do z to jak który która dla oraz zwraca",
}
_MIN_HITS, _MIN_HITS_OF_AN_INSTRUCTION = 4, 2
"""Stop words by which a language is told; an instruction is short."""
_MIN_LETTERS = 12
"""Of a text whose script is told."""


def _differ(one: str, other: str) -> bool:
    """Whether instruction and answer are told to be in different scripts or languages."""
    scripts = script_of(one), script_of(other)
    if "" in scripts or scripts != ("LATIN", "LATIN"):
        return "" not in scripts and scripts[0] != scripts[1]
    languages = language_of(one, _MIN_HITS_OF_AN_INSTRUCTION), language_of(other)
    return "" not in languages and languages[0] != languages[1]


def script_of(text: str) -> str:
    """The script of a text's letters, by Unicode's names; Japanese, with its three, is "CJK"; empty if unclear."""
    letters = Counter(_script(letter) for letter in text[:4000] if letter.isalpha())
    (script, count), *_ = letters.most_common(1) or [("", 0)]
    # Names of code and technical words are Latin in every language: a fifth of another script says enough.
    others = {name: number for name, number in letters.items() if name != "LATIN"}
    if others and sum(others.values()) >= max(_MIN_LETTERS / 3, 0.2 * letters.total()):
        return max(others, key=lambda name: others[name])
    return script if count >= _MIN_LETTERS else ""


@cache
def _script(letter: str) -> str:
    name = unicodedata.name(letter, "").partition(" ")[0]
    return {"HIRAGANA": "CJK", "KATAKANA": "CJK"}.get(name, name)


def language_of(text: str, min_hits: int = _MIN_HITS) -> str:
    """The European language whose stop words are most frequent in a text; empty if that is unclear."""
    words = Counter(re.findall(r"[^\W\d_]+", text.casefold()))
    hits = {name: sum(words[word] for word in stops.split()) for name, stops in _STOP_WORDS.items()}
    (best, most), (_, second) = Counter(hits).most_common(2)
    return best if most >= min_hits and most >= 1.5 * second else ""
