"""A function → what stands around it: what it needs of its file, or a whole program that a compiler can judge."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

_GO_PACKAGES = {"rand": "math/rand", "utf8": "unicode/utf8", "list": "container/list", "heap": "container/heap"}
_GO_USE = re.compile(
    r"\b(strings|fmt|math|sort|errors|strconv|unicode|bytes|os|time|regexp|rand|utf8|list|heap|slices|maps)\.[A-Z]"
)
_JAVA = "import java.util.*;\nimport java.util.function.*;\nimport java.util.regex.*;\nimport java.util.stream.*;\n"
_CPP = "#include <bits/stdc++.h>\nusing namespace std;\n"
_RUST = "#![allow(unused)]\nuse std::collections::*;\n"


def in_context(source: Mapping[str, Any], code: str) -> str:
    """Code of a row's function behind what it needs of its file, where collect kept that.

    Args:
        source: RAW_CODE row.
        code: its function, or an edit of it.
    """
    context = source.get("context")
    return f"{context}\n\n\n{code}" if context else code


def whole_program(code: str, language: str) -> str | None:
    """Source of a program that defines the code and does nothing; None for a language that we make none of."""
    make = _MAKERS.get(language)
    return make(code) if make else None


def _go(code: str) -> str:
    if not re.search(r"^\s*package\s", code, re.MULTILINE):
        used = sorted(set(_GO_USE.findall(code)))
        imports = "" if re.search(r"^\s*import\b", code, re.MULTILINE) else "".join(
            f'import "{_GO_PACKAGES.get(name, name)}"\n' for name in used
        )  # fmt: skip
        code = f"package main\n\n{imports}\n{code}"
    return code if re.search(r"^func\s+main\s*\(", code, re.MULTILINE) else f"{code}\n\nfunc main() {{}}\n"


def _java(code: str) -> str:
    imports = "".join(f"{line}\n" for line in re.findall(r"^\s*import [^;]+;", code, re.MULTILINE))
    code = re.sub(r"^\s*(package|import) [^;]+;\s*", "", code, flags=re.MULTILINE)
    main = "public static void main(String[] arguments) {}"
    if re.search(r"^\s*((public|final|abstract)\s+)*(class|interface|enum|record)\s", code, re.MULTILINE):
        if re.search(r"\bclass\s+Main\b", code):
            return _JAVA + imports + code
        code = re.sub(
            r"^public\s+(?=((final|abstract)\s+)*(class|interface|enum|record)\s)", "", code, flags=re.MULTILINE
        )
        return f"{_JAVA}{imports}{code}\n\npublic class Main {{\n{main}\n}}\n"
    return f"{_JAVA}{imports}public class Main {{\n{code}\n\n{main}\n}}\n"


def _cpp(code: str) -> str:
    return _CPP + (code if re.search(r"\bint\s+main\s*\(", code) else f"{code}\n\nint main() {{}}\n")


def _rust(code: str) -> str:
    return _RUST + (code if re.search(r"\bfn\s+main\s*\(", code) else f"{code}\n\nfn main() {{}}\n")


_MAKERS: dict[str, Callable[[str], str]] = {
    "javascript": str, "typescript": str, "go": _go, "java": _java, "cpp": _cpp, "rust": _rust
}  # fmt: skip
