"""CodeSearchNet's `*_licenses.pkl` → the licence of each repository, as its SPDX name.

The files map `owner/name` to a list of (path, text) of the licence files found there. A pickle is a program: here every
instruction is checked against the few that build dicts, lists, tuples and text before one of them runs, and no name is
ever looked up. JSON of the same shape, or of `owner/name` → licence, works as well.
"""

from __future__ import annotations

import glob
import io
import json
import pickle
import pickletools
import re
from functools import lru_cache
from pathlib import Path
from typing import Any, NoReturn

MAX_FILE_BYTES = 500_000_000
"""CodeSearchNet's largest file has 196 MB."""
TEXTS_PER_REPOSITORY = 10
"""Licence files of one repository that are looked at."""
_HARMLESS = frozenset({
    "PROTO", "FRAME", "STOP", "MARK", "EMPTY_DICT", "EMPTY_LIST", "EMPTY_TUPLE", "DICT", "LIST", "TUPLE", "TUPLE1",
    "TUPLE2", "TUPLE3", "APPEND", "APPENDS", "SETITEM", "SETITEMS", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE",
    "BINUNICODE8", "NONE", "PUT", "BINPUT", "LONG_BINPUT", "MEMOIZE", "GET", "BINGET", "LONG_BINGET",
})  # fmt: skip
"""The pickle instructions that dicts, lists, tuples and text are made of."""

_NAMES = (
    ("AGPL-3.0", r"GNU AFFERO GENERAL PUBLIC LICENSE"),
    ("LGPL-2.1", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 2\.1"),
    ("LGPL-3.0", r"GNU LESSER GENERAL PUBLIC LICENSE\s+Version 3"),
    ("GPL-2.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 2"),
    ("GPL-3.0", r"GNU GENERAL PUBLIC LICENSE\s+Version 3"),
    ("Apache-2.0", r"Apache License,?\s+Version 2\.0"),
    ("MPL-2.0", r"Mozilla Public License,?\s+(v\. |Version )2\.0"),
    ("EPL-1.0", r"Eclipse Public License -? ?v ?1\.0"),
    ("Unlicense", r"This is free and unencumbered software released into the public domain"),
    ("CC0-1.0", r"CC0 1\.0 Universal"),
    ("BSL-1.0", r"Boost Software License - Version 1\.0"),
    ("WTFPL", r"DO WHAT THE FUCK YOU WANT TO"),
    ("BSD-3-Clause", r"Redistribution and use in source and binary forms(?=[\s\S]{0,3000}Neither the name)"),
    ("BSD-2-Clause", r"Redistribution and use in source and binary forms"),
    ("ISC", r"Permission to use, copy, modify, and(/or)? distribute this software"),
    ("MIT", r"Permission is hereby granted, free of charge"),
)
_PATTERNS = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _NAMES)


@lru_cache(maxsize=2)  # a worker reads many units of one source
def license_names(path: str) -> dict[str, str]:
    """Repository → SPDX name of its licence, for a file or a glob of files; repositories of unknown licences left out.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: a file is too large, or is not what it should be.
    """
    absolute = str(Path(path).expanduser().absolute())
    files = sorted(glob.glob(absolute))  # noqa: PTH207 - Path.glob takes no absolute pattern
    if not files:
        raise FileNotFoundError(f"collect.sources: licenses_file {path!r} does not exist")
    names: dict[str, str] = {}
    for file in files:
        if Path(file).stat().st_size > MAX_FILE_BYTES:
            raise ValueError(f"collect.sources: licenses_file {file} is larger than {MAX_FILE_BYTES} bytes")
        try:
            content = Path(file).read_bytes()
            found = json.loads(content) if file.endswith(".json") else load_restricted(content)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"collect.sources: licenses_file {file} is refused: {error}") from None
        if not isinstance(found, dict):
            raise ValueError(f"collect.sources: licenses_file {file} holds no mapping of repositories to licences")
        names |= {str(key): name for key, value in found.items() if (name := _name_of(value))}
    return names


class _Restricted(pickle.Unpickler):
    """An unpickler that knows no names."""

    def find_class(self, module: str, name: str) -> NoReturn:
        """Refuse."""
        raise pickle.UnpicklingError(f"it names {module}.{name}")


def load_restricted(content: bytes) -> Any:
    """What a pickle of dicts, lists, tuples and text holds.

    Raises:
        ValueError: it does anything else; none of it was run.
    """
    count = 0
    try:
        for opcode, argument, _ in pickletools.genops(content):
            count += 1
            if opcode.name not in _HARMLESS:
                raise ValueError(f"its instruction {opcode.name} makes more than dicts, lists, tuples and text")
            if opcode.name.endswith("PUT") and int(argument or 0) > count:
                raise ValueError("it asks for more memory than it has content")
        return _Restricted(io.BytesIO(content)).load()
    except (pickle.UnpicklingError, EOFError, IndexError, KeyError, TypeError, UnicodeDecodeError) as error:
        raise ValueError(f"it is no pickle ({error})") from None


def _name_of(value: Any) -> str:
    """A licence from what a file says of a repository: a name, a text, or a list of (path, text)."""
    if isinstance(value, str):
        return value.strip() if len(value) < 60 and "\n" not in value.strip() else license_of(value)
    for entry in value[:TEXTS_PER_REPOSITORY] if isinstance(value, list) else ():
        text = entry[-1] if isinstance(entry, list | tuple) and entry else entry
        if isinstance(text, str) and (name := license_of(text)):
            return name
    return ""


def license_of(text: str) -> str:
    """SPDX name of a licence's text; empty when it is unknown."""
    return next((name for name, pattern in _PATTERNS if pattern.search(text[:20_000])), "")
