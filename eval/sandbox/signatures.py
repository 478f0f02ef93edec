"""The functions that a candidate declares, read from its text, in languages whose types are written down.

Only types of plain data are known (`_TYPES`): a function with any other cannot be called from the tests, and
its tests do not compile. So a type of the candidate's own, with an equality of its own, never meets an assertion.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TYPES = {
    "cpp": "int long short char bool float double unsigned signed void size_t string vector map unordered_map set "
    "unordered_set pair tuple list deque optional array std boost any list_any const int32_t int64_t uint32_t uint64_t "
    "__cxx11 basic_string allocator char_traits less greater hash equal_to",
    "rust": "i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char str String Vec Option Result "
    "HashMap HashSet BTreeMap BTreeSet Box dyn Any mut std collections static a RtnType",
    "go": "int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 bool string byte rune map "
    "interface any error",
}
_PATTERNS = {
    "cpp": r"^[ \t]*(?:(?:static|inline|constexpr|extern)\s+)*"
    r"((?:const\s+)?[A-Za-z_][\w:]*(?:\s*<[^;{}()]*>)?(?:\s+(?:int|long|char|double))*[\s&]+)"
    r"([A-Za-z_]\w*)\s*\(([^(){};]*)\)\s*(?:noexcept\s*)?\{",
    "rust": r"^[ \t]*(?:pub\s+)?fn\s+([a-z_A-Z]\w*)\s*(?:<'\w+>)?\s*\(([^{};]*?)\)\s*(?:->\s*([^{;]+?))?\s*\{",
    "go": r"^func\s+([A-Za-z_]\w*)\s*\(([^{}]*?(?:interface\s*\{\}[^{}]*?)*)\)"
    r"\s*((?:[^{}\n]|interface\s*\{\})*?)\s*\{(?!\s*\})",
}
"""Name, parameters, result, each in the order of its language."""


@dataclass(frozen=True)
class Function:
    """A function of plain data."""

    name: str
    returns: str
    parameters: tuple[tuple[str, str], ...]
    """Names and types."""


def functions_of(source: str, language: str) -> list[Function]:
    """The functions of a candidate that can be called from outside and whose types its text gives away."""
    found: dict[str, Function] = {}
    doubtful: set[str] = set()  # overloads, default arguments: the compiler knows (`eval/sandbox/cpp_types.py`)
    text = _without_comments(source)
    text = _plain_go(text) if language == "go" else text
    for match in re.finditer(_PATTERNS[language], text, re.MULTILINE):
        groups = [group or "" for group in match.groups()]
        if language == "cpp":
            returns, name, parameters = groups
        else:
            name, parameters, returns = groups
        returns = _without_names(returns) if language == "go" else returns
        function = Function(name, " ".join(returns.split()), _parameters(parameters, language))
        if language == "cpp" and (name in found or "=" in parameters):
            doubtful.add(name)
        if is_plain(function, language):
            found.setdefault(name, function)
    return [function for name, function in found.items() if name not in doubtful]


def _plain_go(source: str) -> str:
    """Go's text with function values written as functions, and other names of plain types replaced by the types."""
    text = re.sub(r"^var\s+(\w+)\s*=\s*func\s*\(", r"func \1(", source, flags=re.MULTILINE)
    for name, kind in re.findall(r"^type[ \t]+(\w+)[ \t]*=[ \t]*([^\n{};]+?)[ \t]*$", source, re.MULTILINE):
        text = re.sub(rf"(?<![\w.]){name}\b(?![ \t]*=)", lambda _, kind=kind: kind, text)  # type: ignore[misc]
    return text


def _without_names(returns: str) -> str:
    """Go's results, without their names: `(sum int, err error)` is `(int, error)`."""
    inner = re.fullmatch(r"\s*\((.*)\)\s*", returns, re.DOTALL)
    parts = [part.strip() for part in split_at_commas(inner[1])] if inner else []
    if not any(re.match(r"\w+[ \t]+\S", part) for part in parts):
        return returns
    kinds = [kind for _, kind in _parameters(", ".join(parts), "go")]
    return kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"


def _parameters(text: str, language: str) -> tuple[tuple[str, str], ...]:
    parts = [" ".join(part.split()) for part in split_at_commas(text) if part.strip()]
    pairs: list[tuple[str, str]] = []
    for part in reversed(parts):
        if language == "rust":
            name, _, kind = part.partition(":")
            pairs.append((name.replace("mut ", "").strip(), kind.strip()))
        elif language == "go":
            name, _, kind = part.partition(" ")
            pairs.append((name, kind.strip() or (pairs[-1][1] if pairs else "")))  # a, b int
        else:
            match = re.fullmatch(r"(?:final )?(.*?[\s>&\]])(\w+)((?:\[\])*)(?: ?= ?[\w.\"']+)?", part)
            pairs.append((match[2], match[1].strip() + match[3]) if match else (part, "unknown_type"))
    return tuple(reversed(pairs))


def split_at_commas(text: str) -> list[str]:
    """Split at the commas that stand in no brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "<([{") - (character in ">)]}")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def is_plain(function: Function, language: str) -> bool:
    """Whether all its types are known to be plain data."""
    known = set(_TYPES[language].split())
    kinds = [function.returns, *(kind for _, kind in function.parameters)]
    if not all(re.fullmatch(r"(?:[\w\s:<>,&\[\]'.()]|interface ?\{\})*", kind) for kind in kinds):
        return False
    return all(set(re.findall(r"[A-Za-z_]\w*", kind)) <= known for kind in kinds) and all(
        re.fullmatch(r"\w+", name) for name, _ in function.parameters
    )


def _without_comments(source: str) -> str:
    """Comments blanked, strings kept."""
    pattern = r'"(?:\\.|[^"\\\n])*"|/\*.*?\*/|//[^\n]*'
    return re.sub(pattern, lambda match: match[0] if match[0].startswith('"') else " ", source, flags=re.DOTALL)
