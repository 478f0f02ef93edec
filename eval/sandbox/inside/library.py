"""Types, functions, modules and constants of Python's own, which cross by their names."""

from __future__ import annotations

import dataclasses
import importlib
import sys
import types
from typing import Any

LIBRARY = frozenset({
    "builtins", "collections", "datetime", "decimal", "fractions", "operator", "re", "types", "math", "collections.abc",
    "functools", "itertools", "typing", "enum", "string", "numbers", "cmath", "random", "json", "time", "heapq",
    "bisect", "_io", "io", "contextlib", "statistics", "copy", "dataclasses", "abc", "sys", "os", "inspect", "asyncio",
    "struct", "zoneinfo", "graphlib", "uuid", "ipaddress", "pathlib", "array", "textwrap", "calendar", "difflib",
    "unicodedata", "hashlib", "html",
})  # fmt: skip
"""Modules that may be named, with their types. Importing one does nothing else."""
ERRORS = frozenset({
    "json.decoder", "asyncio.exceptions", "asyncio.queues", "concurrent.futures._base", "zlib", "binascii", "csv",
    "_csv", "queue", "_queue", "configparser", "pickle", "_pickle", "urllib.error", "xml.etree.ElementTree",
    "zoneinfo._common", "shutil", "socket", "subprocess", "unittest.case", "tokenize", "threading", "bz2", "lzma",
    "_lzma", "gzip", "zipfile", "tarfile", "email.errors", "locale", "shlex", "select",
})  # fmt: skip
"""Modules of which only the exceptions may be named."""
FUNCTIONS = frozenset({"builtins", "math", "cmath", "operator"}), frozenset(
    {"exec", "eval", "compile", "__import__", "open", "input", "breakpoint", "setattr", "delattr", "globals", "locals",
     "vars", "exit", "quit", "getattr", "print", "call", "attrgetter", "methodcaller"})  # fmt: skip
"""Modules whose functions may be named, and those that may not: what is named is called where the tests run."""
CONSTANTS = {
    id(constant): (module.__name__, name)
    for module, names in ((dataclasses, ("MISSING", "_FIELD", "_FIELD_CLASSVAR", "_FIELD_INITVAR")),)
    for name in names
    if (constant := getattr(module, name, None)) is not None
}
"""Objects that are known by being themselves."""
_HIDDEN = {
    kind.__name__: kind for kind in (type(None), type(...), types.FunctionType, types.GeneratorType, types.ModuleType)
}


def library_name(x: Any) -> tuple[str, str] | None:
    """Module and name of a type, function, module or constant of Python's own, if it is just that."""
    if isinstance(x, types.ModuleType):
        return (x.__name__, "") if sys.modules.get(x.__name__) is x and _library(x.__name__) is x else None
    if id(x) in CONSTANTS:
        return CONSTANTS[id(x)]
    if not isinstance(x, type | types.BuiltinFunctionType | types.FunctionType):
        return None
    module, name = getattr(x, "__module__", None), getattr(x, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str):
        return None
    return (module, name) if library_object(module, name) is x else None


def library_object(module: str, name: str) -> Any:
    """What `library_name` named; None where there is no such thing."""
    space = _library(module)
    if not name or space is None:
        return space if module in LIBRARY else None
    found = vars(space).get(name)
    if found is None and module == "builtins":
        found = _HIDDEN.get(name)
    if isinstance(found, types.BuiltinFunctionType | types.FunctionType):
        modules, refused = FUNCTIONS
        return found if module.lstrip("_") in modules and name not in refused else None
    if isinstance(found, type):
        return found if module in LIBRARY or issubclass(found, BaseException) else None
    return found if CONSTANTS.get(id(found)) == (module, name) else None


def _library(name: str) -> Any:
    return (sys.modules.get(name) or importlib.import_module(name)) if name in LIBRARY | ERRORS else None
