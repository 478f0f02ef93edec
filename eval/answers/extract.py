"""An answer → the code in it. Pure functions on text."""

from __future__ import annotations

import ast
import re

from eval.answers.braces import without_comments

_FENCE = re.compile(
    r"^(?P<indent>[ \t]*)(?:\d+[.)][ \t]*|[-*][ \t]+)?(?P<fence>`{3,}|~{3,})[ \t]*(?P<tag>[\w+#.-]*)[^\n`]*\n"
    r"(?P<code>.*?)(?:^[ \t]*(?P=fence)[`~]*[ \t]*$|(?P=fence)|\Z)",
    re.DOTALL | re.MULTILINE,
)

TAGS = {
    "python": {"python", "py", "python3"},
    "javascript": {"javascript", "js", "node", "mjs"},
    "java": {"java"},
    "go": {"go", "golang"},
    "cpp": {"cpp", "c++", "cc", "cxx", "c"},
    "rust": {"rust", "rs"},
}
"""What a fence may call a language."""

_DEFINITIONS = {
    "python": r"^[ \t]*(?:async[ \t]+)?def[ \t]+{name}\b",
    "javascript": r"\bfunction[ \t]*\*?[ \t]*{name}[ \t]*\("
    r"|^[ \t]*(?:export[ \t]+)?(?:const|let|var)[ \t]+{name}[ \t]*=",
    "java": r"^[ \t]*[\w<>\[\], .?]+[ \t]{name}[ \t]*\([^;{{}}]*\)[^;{{}}()]*\{{",
    "go": r"^func[ \t]+{name}[ \t]*[(\[]",
    "cpp": r"^[ \t]*[\w:<>,&* \t]+[ \t&*]{name}[ \t]*\([^;{{}}]*\)[^;{{}}()]*\{{",
    "rust": r"\bfn[ \t]+{name}[ \t]*[<(]",
}
"""How a function of a name is defined in a language; `{name}` is the name's own expression."""


def defines(code: str, name: str, language: str = "python") -> bool:
    """Whether code defines a function of this name."""
    return definition_start(code, name, language) is not None


def definition_start(code: str, name: str, language: str) -> int | None:
    """Where the definition of a function begins; None when it is not defined."""
    pattern = _DEFINITIONS[language].format(name=re.escape(name))
    match = re.search(pattern, _seen(code, language), re.MULTILINE)
    return match.start() if match else None


def _seen(code: str, language: str) -> str:
    """Code in which examples in comments are no definitions."""
    return code if language == "python" else without_comments(code, language)


def defined_names(code: str, language: str) -> list[str]:
    """Names of the functions that code defines, in order."""
    pattern = _DEFINITIONS[language].format(name=r"(?P<name>[A-Za-z_$][\w$]*)")
    if language == "javascript":  # two alternatives, so two names
        pattern = r"(?:\bfunction[ \t]*\*?|\b(?:const|let|var))[ \t]+(?P<name>[A-Za-z_$][\w$]*)[ \t]*[=(]"
    names = [match.group("name") for match in re.finditer(pattern, _seen(code, language), re.MULTILINE)]
    return [name for name in names if name not in {"if", "for", "while", "switch", "catch", "else"}]


def extract_code(answer: str, entry_point: str, language: str = "python") -> str:
    """The code of a chat answer.

    The first fenced block that defines the entry point, one tagged with the language before others; else the longest
    block that may be of the language; a block that was cut off counts as far as it goes. Without a fence, the answer
    from its first line that looks like code; prose behind the code is left off. What a reasoning model thinks aloud
    before its answer is not part of it.

    Args:
        answer: what the model said.
        entry_point: name of the function that was asked for.
        language: of the function.
    """
    text = _without_thoughts(answer.replace("\r\n", "\n"))
    blocks = [(match.group("tag").lower(), _dedented(match)) for match in _FENCE.finditer(text)]
    known = set().union(*TAGS.values()) - TAGS[language]
    own = [code for tag, code in blocks if tag in TAGS[language]]
    possible = own + [code for tag, code in blocks if tag not in TAGS[language] | known]
    defining = [code for code in possible if defines(code, entry_point, language)]
    if defining:
        return _finished(defining[0], language)
    if possible or blocks:
        return _finished(max(own or possible or [code for _, code in blocks], key=len), language)
    return _finished(_without_prose(text, language), language)


def _without_thoughts(text: str) -> str:
    """What comes behind the last </think>; nothing when the model never stopped thinking."""
    if "</think>" in text:
        return text.rpartition("</think>")[2]
    return "" if text.lstrip().startswith("<think>") else text


def _dedented(match: re.Match[str]) -> str:
    """A block inside a list is indented as a whole."""
    indent = match.group("indent")
    code = re.sub(rf"^{indent}", "", match.group("code"), flags=re.MULTILINE) if indent else match.group("code")
    return code.rstrip("\n")


def _finished(code: str, language: str) -> str:
    code = code.strip("\n").rstrip()
    return without_main_guard(code) if language == "python" else code


def without_main_guard(code: str) -> str:
    """Python without `if __name__ == "__main__":` blocks: the tests are the main program, and a demo may want input."""
    try:
        body = ast.parse(code).body
        guards = [node for node in body if isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):  # the sandbox will say what is wrong with it
        return code
    if not guards:
        return code
    lines = re.split(r"\r\n|\r|\n", code)  # as Python counts them
    for node in reversed(guards):
        del lines[node.lineno - 1 : node.end_lineno]
    return "\n".join(lines).rstrip()


_CODE_LINE = {
    "python": r"(?:def|class|import|from|async)\b.|@\w",
    "javascript": r"(?:const|let|var|function|async|class|export|import)\b.|/[*/]",
    "java": r"(?:import|package|public|private|protected|class|static)\b.|/[*/]",
    "go": r"(?:package|import|func|type|var|const)\b.|//",
    "cpp": r"#include|(?:using|template|int|bool|string|vector|void|double|float|long|char|map|std)\b.|/[*/]",
    "rust": r"(?:use|pub|fn|impl|struct|enum|mod)\b.|#!?\[|//",
}


def _without_prose(text: str, language: str) -> str:
    """An answer without a fence: from its first line of code to the prose behind it."""
    lines, indent = text.splitlines(), "" if language == "python" else r"[ \t]*"
    starts = [number for number, line in enumerate(lines) if re.match(indent + _CODE_LINE[language], line)]
    if not starts:
        return text.strip("\n")  # a body alone, perhaps
    end = len(lines)
    for number in range(starts[0] + 1, len(lines)):
        line = lines[number]
        if re.match(r"[A-Z][\w']* .*[.:!?]?$", line) and not re.search(
            r"[=(]|[;{}]\s*$", line.split(" ")[0] + line[-1:]
        ):
            end = number
            break
    return "\n".join(lines[starts[0] : end])
