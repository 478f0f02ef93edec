"""What a program needs that is not here, as compilers and runtimes say it: a package, file, name, newer language.

A program may look for a file and go on without it. In C++ and Rust the C library's calls are looked at
(`eval/sandbox/drivers/needs.c`), in JavaScript the library's (`needs.js`), in Python the interpreter tells
(`eval/sandbox/inside/proof/sought.py`). In Go and Java the source says what the program can have looked for.
"""

from __future__ import annotations

import re

from eval.sandbox.calls.names import name_that_is_missing

_MISSING = {
    "go": r"could not import (?P<what>\S+)|package (?P<other>\S+) is not in|"
          r"undefined: (?P<newer>max|min|clear)\b|cannot (?P<range>range over) [^\n]*\((?:value of type|untyped) int|"
          r"open (?P<file>\S+): no such file or directory|(?P<network>dial tcp|no such host)",
    "java": r"package (?P<what>[\w.]+) does not exist|NoSuchFileException: (?P<file>\S+)|"
            r"FileNotFoundException: (?P<gone>\S+) \(No such|"
            r"(?P<network>UnknownHostException|java\.net\.ConnectException)",
    "cpp": r"fatal error: (?P<what>\S+?): No such file",
    "rust": r"unresolved import `(?P<what>[^`]+)`|cannot find module or crate `(?P<other>\w+)`|can't find crate for "
            r"`(?P<crate>\w+)`|couldn't read `(?P<file>[^`]+)`|file not found for module `(?P<module>\w+)`",
    "javascript": r"Cannot find (?:module|package) '(?P<what>[^']+)'|no such file or directory, \w+ '(?P<file>[^']+)'|"
                  r"(?P<network>ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ENETUNREACH)",
}  # fmt: skip
_MISSING["typescript"] = _MISSING["javascript"]
_SOUGHT = re.compile(r"^wavecoder: needs (\S.*)$", re.MULTILINE)
_LOOKS = {
    "go": r"\bos\.(?:Open(?:File)?|ReadFile|ReadDir|Stat|Lstat|Getwd)\b|\bioutil\.Read(?:File|Dir)\b|"
    r"\bfilepath\.(?:Walk|WalkDir|Glob)\b|\bnet\.(?:Dial|Lookup|Resolve)\w*|\bhttp\.(?:Get|Post|Head|Client)\b|"
    r"\bexec\.Command\b",
    "java": r"\bnew (?:File(?:Reader|InputStream|OutputStream|Writer)?|RandomAccessFile|Socket|URL|ProcessBuilder)\b|"
    r"\bFiles\.\w+|\bHttpClient\.\w+|\bInetAddress\.\w+|\.exec(?=\()",
}
"""How a program looks for files, other programs and the network."""
_NEWER = {"newer": "Go 1.21: {}", "range": "Go 1.22: {} an integer", "network": "the network"}


def what_is_missing(said: str, language: str, source: str = "") -> str:
    """The name of what is missing; empty where an error says nothing of that.

    Args:
        said: by the compiler or the runtime.
        language: of the program.
        source: of the program; without it no names are looked for (`names.py`).
    """
    match = re.search(_MISSING.get(language, r"(?!)"), said)
    if match is None:
        return name_that_is_missing(said, language, source) if source else ""
    kind, name = next((kind, name) for kind, name in match.groupdict().items() if name)
    return _NEWER.get(kind, "{}").format(name)


def what_was_sought(stderr: str, language: str, source: str) -> str:
    """What a program looked for first and did not find: a path, or the network; empty for none.

    Args:
        stderr: what its process wrote.
        language: of the program.
        source: of the program. In Go and Java it tells what may have been looked for.
    """
    if language in _LOOKS:
        look = re.search(_LOOKS[language], source)
        return f"what {look[0]} looks for" if look else ""
    match = _SOUGHT.search(stderr)
    return match[1] if match else ""
