"""Go's types that a candidate declares and that are nothing but data: structs, other names of plain types, constants.

The tests' program declares them as the candidate does, so that its values can be compared, by the equality that the
language defines: Go has no other. Methods stay in the candidate's program; the tests call those that they name, but
none that is told what a value ought to be.
"""

from __future__ import annotations

import re

from eval.sandbox.functions import Function, split_at_commas

_BASIC = """int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 bool string
byte rune error"""
PREDECLARED = frozenset(
    f"""{_BASIC} any comparable uintptr true false iota nil append cap clear close complex copy delete imag len make max
    min new panic print println real recover init main assert""".split()
)
"""Names that a declaration of the candidate's must not take from the tests."""
_PLAIN = frozenset(f"{_BASIC} map struct".split())
_STRUCT = re.compile(r"^type[ \t]+(\w+)[ \t]+struct[ \t]*\{([^{}]*)\}", re.MULTILINE)
_NAMED = re.compile(r"^type[ \t]+(\w+)[ \t]+([\w\[\]*. ]+?)[ \t]*$", re.MULTILINE)
_CONSTANTS = re.compile(r"^const[ \t]*\(([^()]*)\)|^const[ \t]+([^()\n]+)$", re.MULTILINE)
_METHOD = re.compile(
    r"^func[ \t]*\([ \t]*(?:\w+[ \t]+)?(\*?)(\w+)[ \t]*\)[ \t]*(\w+)[ \t]*\(([^{}()]*)\)[ \t]*([^{}\n]*?)[ \t]*\{",
    re.MULTILINE,
)
_INTERFACE = re.compile(r"^type[ \t]+(\w+)[ \t]+interface[ \t]*\{([^{}|~]*)\}", re.MULTILINE)
_SENTINEL = re.compile(
    r"^(?:var)?[ \t]+(\w+)(?:[ \t]+error)?[ \t]*=[ \t]*((?:errors\.New|fmt\.Errorf)\(\"(?:\\.|[^\"\\\n])*\"\))",
    re.MULTILINE,
)
_JUDGING = re.compile(r"equal|cmp|compare|less|match|contain|same|^eq|^has|^is", re.IGNORECASE)


def data_types(source: str) -> dict[str, str]:
    """Name → declaration of the types that are data.

    Args:
        source: Go without comments.
    """
    found = {name: (f"type {name} struct {{{body}}}", _words(body)) for name, body in _STRUCT.findall(source)}
    found |= {name: (f"type {name} {kind}", set(re.findall(r"[A-Za-z_]\w*", kind)))
              for name, kind in _NAMED.findall(source) if name not in found and kind != "struct"}  # fmt: skip
    found = {name: each for name, each in found.items() if name not in PREDECLARED and "wavecoder" not in name}
    found |= {name: (f"type {name} interface {{{body}}}", _words_of_methods(body))
              for name, body in _INTERFACE.findall(source) if name not in PREDECLARED}  # fmt: skip
    while wrong := [name for name, (_, words) in found.items() if not words <= _PLAIN | set(found)]:
        for name in wrong:
            del found[name]
    return {name: text for name, (text, _) in found.items()}


def _words(body: str) -> set[str]:
    """The words of the types of a struct's fields."""
    words: set[str] = set()
    for line in re.split(r"[\n;]", re.sub(r"`[^`]*`", "", body)):
        fields = re.match(r"[ \t]*\w+(?:[ \t]*,[ \t]*\w+)*[ \t]+(?=[\w\[*])", line)
        words |= set(re.findall(r"[A-Za-z_.]\w*", line[fields.end() :] if fields else line))
    return words


def _words_of_methods(body: str) -> set[str]:
    """The words of the types of an interface's methods, and of the interfaces that it holds."""
    words: set[str] = set()
    for line in re.split(r"[\n;]", body):
        if head := re.fullmatch(r"[ \t]*(\w+)[ \t]*\((.*?)\)[ \t]*(.*?)[ \t]*", line):
            kinds = [*_kinds(head[2]), _results(head[3])]
            words |= {word for kind in kinds for word in re.findall(r"[A-Za-z_.]\w*", kind)}
        else:
            words |= set(re.findall(r"[A-Za-z_.]\w*", line))
    return words


def registered(types: dict[str, str], sentinels: dict[str, str]) -> str:
    """What tells either program the types and errors that it has under the same name as the other."""
    lines = [f'wavecoderKinds["main.{name}"] = reflect.TypeOf((*{name})(nil)).Elem()' for name in types]
    lines += [f'wavecoderErrors["{name}"] = {name}' for name in sentinels]
    return f"func init() {{ {'; '.join(lines)} }}\n" if lines else ""


def sentinels(source: str) -> dict[str, str]:
    """Name → expression of the errors that a candidate declares for its callers to recognise."""
    return {name: made for name, made in _SENTINEL.findall(source) if name not in PREDECLARED and "%w" not in made}


def constants(source: str, types: dict[str, str]) -> list[str]:
    """Declarations of constants of those types: literals, iota and what is computed of them."""
    kept = []
    for match in _CONSTANTS.finditer(source):
        body = match[1] or match[2]
        names = {name for line in re.split(r"[\n;]", body) for name in re.findall(r"^[ \t]*(\w+)", line)}
        words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"(?:\\.|[^"\\\n])*"', "", body)))
        if words & set(types) and words <= names | set(types) | {"iota", "true", "false"} and not names & PREDECLARED:
            kept.append(match[0])
    return kept


def methods(source: str, tests: str, types: dict[str, str]) -> list[tuple[str, str, Function]]:
    """Receiver, name and function of the methods that tests call; the receiver is its first parameter."""
    found = []
    asked = {name for text in types.values() if " interface " in text for name in re.findall(r"(\w+)[ \t]*\(", text)}
    for star, owner, name, given, returns in _METHOD.findall(source):
        called = name in asked | {"Error", "String"} or re.search(rf"\.{name}\s*\(", tests)
        if owner not in types or not called or (given.strip() and name not in asked and _JUDGING.search(name)):
            continue
        parameters = [(f"a{n + 1}", kind) for n, kind in enumerate(_kinds(given))]
        made = Function(name, _results(returns), (("a0", f"{star}{owner}"), *parameters))
        found.append((f"{star}{owner}", name, made))
    return found


def heads(source: str) -> list[tuple[str, str, str, str]]:
    """Name, type parameters, parameters and result of the functions, each as it is written."""
    found = []
    for match in re.finditer(r"^func\s+([A-Za-z_]\w*)\s*", source, re.MULTILINE):
        at, parts = match.end(), []
        for opening in "[(":
            end = _closing(source, at) if source[at : at + 1] == opening else at
            parts.append(source[at + 1 : end - 1] if end > at else "")
            at = end + len(source[end:]) - len(source[end:].lstrip())
        returns = re.match(r"(?:\b(?:interface|struct)\s*\{\}|[^{}\n])*", source[at:])
        if source[at : at + 1] == "(":
            end = _closing(source, at)
            result, body = source[at:end], source[end:].lstrip()
        else:
            result, body = (returns[0], source[at + returns.end() :]) if returns else ("", "")
        if body.startswith("{") and not re.match(r"\{\s*\}", body):
            found.append((match[1], parts[0], parts[1], result.strip()))
    return found


def _closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at + 1
    return len(text)


def _results(returns: str) -> str:
    """A method's results without their names."""
    text = " ".join(returns.split())
    named = re.match(r"\((?!func\b|chan\b)\w+(?:, ?\w+)* [^ )]", text)
    return f"({', '.join(_kinds(text[1:-1]))})" if named else text


def _kinds(given: str) -> list[str]:
    kinds: list[str] = []
    for part in reversed([" ".join(each.split()) for each in split_at_commas(given) if each.strip()]):
        _, _, kind = part.partition(" ")
        kinds.append(kind or (kinds[-1] if kinds else part))
    return kinds[::-1]
