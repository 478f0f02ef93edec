"""Names that code uses and nobody defines: of what stood around it in its file, or misspelt.

A type, a constant, a macro or a function that is called belongs to the file that the code came from: it is needed. A
name that is nearly another one of the code's is a mistake, and so is a variable. What a compiler finds beside missing
names is a mistake too.
"""

from __future__ import annotations

import difflib
import re

LEAST, NEAR = 4, 0.8
"""Letters of a name that may be a misspelling, and how alike two are then (`difflib`'s ratio)."""
_WORD = re.compile(r"[^\W\d]\w*")
_LIBRARY = {
    "java": "ArrayDeque ArrayList Arrays BigInteger Boolean Character Collections Collectors Deque Double HashMap "
    "HashSet IntStream Integer Iterator LinkedHashMap LinkedList List Long Map Math Object Objects Optional "
    "PriorityQueue Queue Set Stream String StringBuilder System TreeMap TreeSet return",
    "go": "append byte cap copy delete error false float64 int int64 len make map max min nil panic print println "
    "range return rune string true uint64 bytes errors fmt math sort strconv strings unicode",
}
"""What else may be misspelt; the compilers of C++ and Rust say so themselves."""
_ERRORS = {
    "cpp": r"\berror: (?!ld returned)|undefined reference to",
    "go": r"^\S+\.go:\d+:\d+: (?!too many errors)",
    "java": r"\berror: ",
    "rust": r"^error(?:\[\w+\])?: (?!aborting)",
}
_NAMES = {
    "cpp": r"error: ['‘](\w+)['’] (?:was not declared in this scope|has not been declared|does not name a type)"
           r"|undefined reference to [`'‘](\w+)",
    "go": r"undefined: (\w+)$",
    "java": r"error: cannot find symbol\n[^\n]*\n[^\n]*\n\s*symbol:\s+(?:class|method|variable) (\w+)",
    "rust": r"^error(?:\[\w+\])?: cannot find [\w ,]+ `(\w+)` in this scope",
}  # fmt: skip
_ELSEWHERE = re.compile(r"symbol:[^\n]*\n\s*location: (?!(?:class|interface) )|did you mean|similar name exists")
_USED = {
    "cpp": r"\s*(?:[({]|<[^;=]*>\s*[({]|::)",
    "go": r"\s*[({\[]|\.[A-Z]",
    "java": r"\s*\(",
    "rust": r"\s*[({]|!|::",
}
"""What follows a name that is no variable."""


def name_that_is_missing(said: str, language: str, source: str) -> str:
    """The name of what a program needs of its file; empty where a compiler complains of anything else.

    Args:
        said: by the compiler.
        language: of the program.
        source: that it compiled.
    """
    if language not in _NAMES or _ELSEWHERE.search(said):
        return ""
    found = [name for match in re.finditer(_NAMES[language], said, re.MULTILINE) for name in match.groups() if name]
    if not found or len(found) < len(re.findall(_ERRORS[language], said, re.MULTILINE)):
        return ""
    if language == "java" and not _in_own_classes(said, source):
        return ""
    if any(misspelt(name, source, language) for name in found):
        return ""
    return next((name for name in found if _is_defined_elsewhere(name, source, language)), "")


def _in_own_classes(said: str, source: str) -> bool:
    """Whether Java's compiler looked for all names in the code's own classes, not in the library's."""
    places = re.findall(r"location: (?:class|interface) ([\w.]+)", said)
    return all(re.search(rf"\b(?:class|record|enum|interface)\s+{place.rpartition('.')[2]}\b", source)
               or place in {"Solution", "Main"} for place in places)  # fmt: skip


def _is_defined_elsewhere(name: str, source: str, language: str) -> bool:
    """Whether a name is that of a type, a constant or something called, not a variable."""
    is_type, is_constant = re.match(r"[A-Z]\w*[a-z]", name), len(name) > 1 and name.isupper()
    return bool(is_type or is_constant or re.search(rf"(?<![\w.]){name}(?:{_USED[language]})", source))


def misspelt(name: str, source: str, language: str) -> str:
    """The name of the code's that one nearly is; empty where it is none.

    `node` is not `Node`, `item1` not `item2`, and `prime` not `primes`: these are different things.

    Args:
        name: that nobody defines.
        source: the code that uses it.
        language: of the code.
    """
    if len(name) < LEAST:
        return ""
    words = {*_WORD.findall(source), *_LIBRARY.get(language, "").split()} - {name}
    others = sorted(word for word in words if len(word) >= LEAST and not _are_two(name, word))
    return next(iter(difflib.get_close_matches(name, others, 1, NEAR)), "")


def _are_two(one: str, other: str) -> bool:
    """Whether two names are meant to differ: by their first letter's case, an end, or a number."""
    short, long = sorted((one, other), key=len)
    alike = re.sub(r"\d", "", one) == re.sub(r"\d", "", other)
    return one[0].isupper() != other[0].isupper() or long.startswith(short) or long.endswith(short) or alike


def with_hint(error: str, source: str, language: str) -> str:
    """What Python or JavaScript raised, behind the name that was meant where one is misspelt.

    Args:
        error: begins with its class.
        source: the code that raised it.
        language: of the code.
    """
    match = re.match(r"(?:NameError: name '(\w+)'|ReferenceError: (\w+)) is not defined", error)
    meant = misspelt(match[1] or match[2], source, language) if match else ""
    return f"misspelt {meant}: {error}" if meant else error
