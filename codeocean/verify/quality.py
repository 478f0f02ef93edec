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
from tree_sitter import Node

from codeocean.grammars import grammar_of
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
            _PLACEHOLDER.search(own) is not None
            or (_SAYS_NOTHING.fullmatch(solution) is not None if prose else _does_nothing(solution, language))
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
    if _REPEATED_LETTERS.search(text):
        return True
    words = _words(text)
    if len(words) < config.min_words:
        return False
    shares = {n: repeated_share(words, n) for n in range(5, 11)}
    return any(
        share > config.repeated_5grams - 0.01 * (n - 5) and share * len(words) >= _ONE_PHRASE
        for n, share in shares.items()
    )


_ONE_PHRASE = 8
"""Repeated words, about: one phrase of five that comes twice is no fault, however short the text."""
_REPEATED_LETTERS = re.compile(r"(\w{1,16}?)\1{24}")


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
    r"|\b(add|insert|write|put|place|fill in) (your (\w+ )?|the (own |actual |real |missing |rest of the )?)"
    r"(code|implementation|logic|solution|details)\b"
    r"|(?:^|[^\w\s),;][^\S\n]*)(the )?(rest|remainder) of (the|your) (\w+ )?"
    r"(code|function|method|class|implementation)\b"
    r"|\b(implement|complete) (me|this|the) ?(function|method|logic|code|part)? here\b"
    r"|\b(existing|other|previous|remaining) code (\w+ )?here\b|\b(same as (above|before)|as before) *\.\.\."
    r"|\.\.\. *\(?(same as|as) (above|before)\b"
    r"|\breplace (this|it|me|the following)( \w+)? with (your|the|an?)( own| actual| real)*"
    r" (code|implementation|logic)\b"
    r"|\bplaceholder for (the|your) (actual|real|own)\b|\bthis is (just |only )?an? placeholder\b"
    r"|\bplaceholder (implementation|logic|summary|answer|explanation)\b"
    r"|\b(TODO|FIXME)\b\W*(implement|fill|complete|write|describe|explain|document)\b"
    r"( (it|this|me|here|later|in|out|the|an?|your|actual|real|own|function|method|logic|code|body|rest|solution))*\W*$"
    r"|\[(insert|your|fill)\b[^\]\n]{0,60}\]|\blorem ipsum\b"
    r"|<(insert |add )?(your )?(code|implementation|logic|solution)( goes)?( here)?>"
    r"|\b(?<!\w )(?:(?:the|function|method|its|remaining) )?(implementation|code|body|logic) "
    r"(is |was )?(omitted|left out)\b"
    r"|\.\.\. *(existing|other|previous|remaining|rest of)\b"
    r"|\b(real|actual|production|proper|full) (implementation|version) (would|should|might|could|will|goes|needs?)\b",
    re.IGNORECASE | re.MULTILINE,
)
_SAYS_NOTHING = re.compile(
    r"\W*(n/?a|none|todo|tbd|(your )?(summary|description|answer|explanation|response|translation))?\W*", re.IGNORECASE
)
"""Of prose."""


def _does_nothing(code: str, language: str) -> bool:
    """Whether each function of the code is empty; one among others is abstract, and so is one that is only declared."""
    snippet, functions = parse_snippet(code, language), grammar_of(language).functions
    found, pending = list[Node](), [snippet.root] if snippet is not None else []
    while pending:
        node = pending.pop()
        found += [node] if node.type in functions else []
        pending += [] if node.type in functions else node.children
    if len(found) < 2 and all(node.child_by_field_name("body") for node in found):
        return has_empty_body(code, language)
    return all(has_empty_body((node.text or b"").decode("utf-8", "replace"), language) for node in found) and any(
        node.child_by_field_name("body") for node in found
    )


_SPEAKS_OF_ITSELF = re.compile(
    r"\bas an? (AI|artificial intelligence|(large )?language model|(AI )?assistant)\b"
    r"|\bI('m| am) (just )?an? (AI|language model)\b"
    r"|\bI (cannot|can't|can not|won't|will not|could not|couldn't)( \w+)? "
    r"(help|assist|fulfil?l|comply|provide|answer|do that|"
    r"generate|complete|write|translate|summari[sz]e|determine|see|tell|explain|describe|implement)\b"
    r"|\bI (do not|don't) have (enough|sufficient|any|the) (information|context|details|code|ability)\b"
    r"|\bI (do not|don't) have access\b|\b(not possible|impossible|hard|difficult) for me to\b"
    r"|\bI was(n't| not) (given|provided|shown)\b|\bI('d| would) need (to see|to know|more|the)\b"
    r"|\bmy (knowledge|training) (cut-?off|data)\b",
    re.IGNORECASE,
)
_APOLOGIZES = re.compile(
    r"\bI('m| am) (so |very |really )?(sorry|afraid)\b|\bI apologi[sz]e\b|\bmy apologies\b"
    r"|^\W*(sorry|apologies)\b"
    r"|\bI('m| am) (not able|unable) to\b"
    r"|\b(please|could you|can you) (please )?(provide|share|send|paste)( me)?( with)?"
    r" (the|your|more|some|additional|it|that)\b"
    r"|\bneed more (information|context|details)\b"
    r"|\b(lo siento, (pero )?no|tut mir leid|désolée?,? (mais )?je ne|je suis désolée?|mi dispiace|sinto muito)\b"
    r"|抱歉|对不起|我无法|我不能|申し訳(あり|ござい)ません|죄송(합니다|하지만)|прошу прощения|к сожалению, я\b",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"([\"'`])(?<!\w.)[^\n]{0,200}?\1(?!\w)|“[^”\n]{0,200}”|«[^»\n]{0,200}»")
"""What a summary says that the code says."""


def _refuses(instruction: str, answer: str) -> bool:
    instruction, answer = (_QUOTED.sub("", text.replace("’", "'").strip(' "')) for text in (instruction, answer))
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
    "en": "the of and to is that it this from with for each which returns if by as an are in what does write explain",
    "de": "der die das und ist nicht ein eine mit von zu den dem auf für wird als auch wenn gibt was schreibe erkläre",
    "fr": "le la les des et est une un dans que qui pour sur avec du au pas par ce cette renvoie écris explique",
    "es": "el la los las de es una un que en por con para del se no como su devuelve qué escribe explica",
    "pt": "os as de uma um que em por com para do da se não como seu retorna escreva explique",
    "it": "il lo la gli le di una un che in per con del della non si come restituisce cosa scrivi spiega",
    "nl": "de het een en is van dat die voor met op niet als wordt geeft te aan door wat schrijf",
    "pl": "na jest nie że się do to jak który która dla oraz zwraca co napisz",
    "sv": "och att det som en ett den för är av på med till om inte alla varje returnerar",
    "da": "og at det som en et den for er af på med til om ikke alle hver returnerer",
    "cs": "je to se na do pro které která pokud není jako všech vrací",
    "ro": "și este un de la în cu care pentru din nu se dacă toate returnează",
    "tr": "ve bir bu için ile olarak değil eğer daha tüm her döndürür",
    "id": "dan yang di dari untuk dengan ini adalah dalam tidak jika semua mengembalikan",
    "vi": "và của là các trong cho với này một được trả về nếu tất cả",
}
"""Of two letters and more: single ones are names in code."""
_MIN_HITS, _MIN_HITS_OF_AN_INSTRUCTION = 4, 2
"""Stop words by which a language is told; an instruction is short."""
_MIN_LETTERS = 12
"""Of a text whose script is told."""


def _differ(one: str, other: str) -> bool:
    """Whether instruction and answer are told to be in different scripts or languages."""
    scripts = script_of(one), script_of(other)
    if "" in scripts or scripts != ("LATIN", "LATIN"):
        return "" not in scripts and scripts[0] != scripts[1]
    asked, hits = language_of(one, _MIN_HITS_OF_AN_INSTRUCTION), _stop_words(other)
    best = max(hits, key=lambda name: hits[name])
    return bool(asked) and hits[best] >= max(_MIN_HITS, 1.5 * hits[asked])


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
    """The language whose stop words are most frequent in a text in Latin script; empty if that is unclear."""
    (best, most), (_, second) = _stop_words(text).most_common(2)
    return best if most >= min_hits and most >= 1.5 * second else ""


def _stop_words(text: str) -> Counter[str]:
    words = Counter(re.findall(r"[^\W\d_]{2,}", text.casefold()))
    return Counter({name: sum(words[word] for word in stops.split()) for name, stops in _STOP_WORDS.items()})
