"""Functions of the user's own, named in the recipe as `module:function`.

A module is found in the working directory or on `PYTHONPATH`, in this process and in Ray's workers alike. What a recipe
names is trusted as the recipe's author is: it runs outside the sandbox. A digest covers the source of the module's own
file; what that file imports is not covered.
"""

from __future__ import annotations

import difflib
import hashlib
import importlib
import importlib.util
import inspect
import os
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any

from pydantic import AfterValidator


def _checked(name: str) -> str:
    module, colon, function = name.partition(":")
    if not colon or not function.isidentifier() or not all(part.isidentifier() for part in module.split(".")):
        raise ValueError(f"{name!r} is not module:function, such as our_rules:no_todo")
    return name


FunctionName = Annotated[str, AfterValidator(_checked)]
"""`module:function`; only its form is checked."""


def load_function(name: str, setting: str, arguments: Iterable[str]) -> Callable[..., Any]:
    """The function of a name.

    Args:
        name: `module:function`.
        setting: key of the recipe, for messages.
        arguments: what it is called with: "row" for a positional argument, "project=" for a keyword.

    Raises:
        ValueError: there is no such module or function, it cannot be imported, or it does not take these arguments.
    """
    module_name, _, function_name = name.partition(":")
    module = _imported(module_name, setting)
    function = getattr(module, function_name, None)
    if not callable(function):
        near = difflib.get_close_matches(function_name, [each for each in vars(module) if each[0] != "_"], 1)
        meant = f"; did you mean {module_name}:{near[0]}?" if near else ""
        raise ValueError(f"{setting}: {_place(module)} has no function {function_name!r}{meant}")
    arguments = tuple(arguments)
    positional = [each for each in arguments if not each.endswith("=")]
    keywords = {each[:-1]: None for each in arguments if each.endswith("=")}
    try:
        inspect.signature(function).bind(*positional, **keywords)
    except TypeError as error:
        called = f"{function_name}({', '.join(each + '…' * each.endswith('=') for each in arguments)})"
        raise ValueError(f"{setting}: {name} must be callable as {called}: {error}") from None
    return function


def source_digest(name: str, setting: str) -> str:
    """First 16 hex digits of the SHA-256 of the module's file, which is not run; raises as `load_function` does."""
    module_name = name.partition(":")[0]
    file = _find(module_name, setting).origin
    if file is None or not file.endswith(".py"):
        raise ValueError(f"{setting}: {module_name!r} is no Python file")
    return hashlib.sha256(Path(file).read_bytes()).hexdigest()[:16]


def said_by(error: Exception) -> str:
    """An exception of the user's code, for a line."""
    trace, where = error.__traceback__, ""
    while trace is not None:
        where = f" at {Path(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno}"
        trace = trace.tb_next
    return f"{type(error).__name__}: {' '.join(str(error).split())[:300]}{where}"


def _find(module_name: str, setting: str) -> Any:
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.append(here)  # a console script does not look there by itself
    missing = f"{setting}: there is no module {module_name!r} in {here} or on PYTHONPATH"
    try:
        importlib.invalidate_caches()
        spec = importlib.util.find_spec(module_name)
    except ModuleNotFoundError:
        raise ValueError(missing) from None
    except Exception as error:  # noqa: BLE001 - a package's own code runs when one of its modules is looked for
        raise ValueError(f"{setting}: {module_name!r} cannot be imported ({said_by(error)})") from None
    if spec is None:
        raise ValueError(missing)
    return spec


def _imported(module_name: str, setting: str) -> ModuleType:
    _find(module_name, setting)
    try:
        return importlib.import_module(module_name)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        raise ValueError(f"{setting}: {module_name!r} cannot be imported ({said_by(error)})") from None


def _place(module: ModuleType) -> str:
    return os.path.relpath(file) if (file := getattr(module, "__file__", None)) else module.__name__
