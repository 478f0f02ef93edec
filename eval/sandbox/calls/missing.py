"""What a program needs that is not here, as compilers and runtimes say it: a package, header, file, newer language.

Not covered: a file that Rust or C++ does not find.
"""

from __future__ import annotations

import re

_MISSING = {
    "go": r"could not import (?P<what>\S+)|package (?P<other>\S+) is not in|"
          r"undefined: (?P<newer>max|min|clear)\b|cannot (?P<range>range over) [^\n]*\((?:value of type|untyped) int|"
          r"open (?P<file>\S+): no such file or directory|(?P<network>dial tcp|no such host)",
    "java": r"package (?P<what>[\w.]+) does not exist|NoSuchFileException: (?P<file>\S+)|"
            r"FileNotFoundException: (?P<gone>\S+) \(No such|"
            r"(?P<network>UnknownHostException|java\.net\.ConnectException)",
    "cpp": r"fatal error: (?P<what>\S+?): No such file",
    "rust": r"unresolved import `(?P<what>[^`]+)`|cannot find module or crate `(?P<other>\w+)`|can't find crate for "
            r"`(?P<crate>\w+)`",
    "javascript": r"Cannot find (?:module|package) '(?P<what>[^']+)'|no such file or directory, \w+ '(?P<file>[^']+)'|"
                  r"(?P<network>ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH)",
}  # fmt: skip
_MISSING["typescript"] = _MISSING["javascript"]
_NEWER = {"newer": "Go 1.21: {}", "range": "Go 1.22: {} an integer", "network": "the network"}


def what_is_missing(said: str, language: str) -> str:
    """The name of what is missing; empty where an error says nothing of that.

    Args:
        said: by the compiler or the runtime.
        language: of the program.
    """
    match = re.search(_MISSING.get(language, r"(?!)"), said)
    if match is None:
        return ""
    kind, name = next((kind, name) for kind, name in match.groupdict().items() if name)
    return _NEWER.get(kind, "{}").format(name)
