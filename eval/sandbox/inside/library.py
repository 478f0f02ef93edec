"""Types, functions, modules and constants of Python's own, which cross by their names, and what exceptions hold.

Besides its arguments an exception has attributes, notes, and what it came from.
"""

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
    "unicodedata", "hashlib", "html", "_operator",
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


_CHAIN = ("__cause__", "__context__", "__suppress_context__")
_SLOTS = ((AttributeError, ("name",)), (NameError, ("name",)), (ImportError, ("msg", "name", "path")),
          (OSError, ("filename", "filename2")))  # fmt: skip
"""Attributes that Python's own exceptions keep elsewhere than in their arguments or names."""


def beside(error: BaseException) -> dict[str, Any]:
    """The names of an exception's state and their values, without the arguments and the traceback."""
    names = [*_CHAIN, *(name for kind, slots in _SLOTS if isinstance(error, kind) for name in slots)]
    found = {name: value for name in names if (value := getattr(error, name, None)) not in (None, False)}
    return found | {name: value for name, value in vars(error).items() if isinstance(name, str)}


def chain_of(error: BaseException) -> dict[str, Any]:
    """Of that state, what is no attribute of the class's own making."""
    return {name: value for name, value in beside(error).items() if name in (*_CHAIN, "__notes__")}


def put_beside(error: Any, names: list[Any], values: list[Any]) -> None:
    """Give an exception that state."""
    for name, value in zip(names, values, strict=True):
        if not name.startswith("__") or name in (*_CHAIN, "__notes__"):
            BaseException.__setattr__(error, name, value)


def make_error(kind: type[BaseException], args: list[Any]) -> BaseException:
    """An exception of Python's own; one whose constructor wants more than it keeps gets its arguments as they were."""
    if kind.__module__ == "builtins":
        try:
            return kind(*args)
        except TypeError:
            pass
    made = kind.__new__(kind)
    made.args = tuple(args)
    return made


def without_frames(error: BaseException) -> BaseException:
    """An exception whose chain refers to no frame any more."""
    seen: set[int] = set()
    open_ones: list[BaseException | None] = [error]
    while open_ones:
        each = open_ones.pop()
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            each.__traceback__ = None
            open_ones += [each.__cause__, each.__context__]
    return error
