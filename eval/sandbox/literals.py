"""JSON values as literals of a language, by the types that a function's signature gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from eval.sandbox.signatures import split_at_commas


class Unwritable(ValueError):  # noqa: N818 - what it says of a value
    """The value is none of the type."""


Literal = Callable[[Any, str], str]


def literal(value: Any, kind: str, language: str) -> str:
    """A value as an expression of a type.

    Args:
        value: of JSON.
        kind: the type as the language writes it.
        language: cpp, go, java, javascript, rust or typescript.

    Raises:
        Unwritable: the value is not one of the type, or the type is not plain data.
    """
    if language in {"javascript", "typescript"}:
        return json.dumps(value)
    return _WRITERS[language](value, " ".join(kind.split()))


def _quoted(text: str) -> str:
    """A string literal of C++, Go, Java and Rust: printable ASCII, the rest as escapes that all of them have."""
    if not all(" " <= letter <= "~" or letter in "\n\t" for letter in text):
        raise Unwritable("text beyond ASCII")
    return json.dumps(text)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or abs(value) >= 2**63:
        raise Unwritable("no integer")
    return value


def _real(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unwritable("no number")
    return repr(float(value))


def _truth(value: Any) -> str:
    if not isinstance(value, bool):
        raise Unwritable("no boolean")
    return "true" if value else "false"


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Unwritable("no text")
    return _quoted(value)


def _letter(value: Any) -> str:
    if not isinstance(value, str) or len(value) != 1 or not " " <= value <= "~":
        raise Unwritable("no letter")
    return {"'": "'\\''", "\\": "'\\\\'"}.get(value, f"'{value}'")


def _items(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise Unwritable("no list")
    return value


def _pairs(value: Any, key: str) -> list[tuple[Any, Any]]:
    """The items of an object, whose keys are numbers where the type says so."""
    if not isinstance(value, dict):
        raise Unwritable("no object")
    whole = bool(re.search(r"\b(u?int|long|i\d|u\d|usize|isize|short|Integer|Long)", key))
    try:
        return [(int(name) if whole else name, item) for name, item in value.items()]
    except ValueError:
        raise Unwritable("no integer key") from None


def _inside(kind: str) -> list[str]:
    """The types between `<` and `>`."""
    return [part.strip() for part in split_at_commas(kind[kind.index("<") + 1 : kind.rindex(">")])]


def _cpp(value: Any, kind: str) -> str:
    kind = re.sub(r"\bconst\b|&|\bstd::", "", kind).strip()
    kind = " ".join(kind.split())
    if re.match(r"(vector|set|unordered_set|deque|list)\s*<", kind):
        inner = _inside(kind)[0]
        return f"{kind}{{{', '.join(_cpp(one, inner) for one in _items(value))}}}"
    if re.match(r"(map|unordered_map)\s*<", kind):
        first, second = _inside(kind)
        pairs = (f"{{{_cpp(key, first)}, {_cpp(one, second)}}}" for key, one in _pairs(value, first))
        return f"{kind}{{{', '.join(pairs)}}}"
    if kind.startswith("pair<"):
        parts = [_cpp(one, each) for one, each in zip(_items(value), _inside(kind), strict=False)]
        return f"{kind}{{{', '.join(parts)}}}"
    if kind == "string":
        return f"string({_text(value)})"
    if kind == "char":
        return _letter(value)
    if kind == "bool":
        return _truth(value)
    if kind in {"double", "float", "long double"}:
        return _real(value)
    if re.fullmatch(r"(unsigned |signed )?(int|long|short|long long|size_t|u?int\d+_t)( int)?", kind):
        return f"{_whole(value)}" + ("LL" if "long" in kind or "64" in kind else "")
    raise Unwritable(f"type {kind}")


def _go(value: Any, kind: str) -> str:
    kind = kind.strip()
    if match := re.match(r"\[(\d*)\](.+)", kind):
        if match[1] and len(_items(value)) != int(match[1]):
            raise Unwritable("another length")
        return f"{kind}{{{', '.join(_go(one, match[2]) for one in _items(value))}}}"
    if match := re.match(r"map\[(\w+)\](.+)", kind):
        pairs = (f"{_go(key, match[1])}: {_go(one, match[2])}" for key, one in _pairs(value, match[1]))
        return f"{kind}{{{', '.join(pairs)}}}"
    if kind == "string":
        return _text(value)
    if kind == "bool":
        return _truth(value)
    if kind in {"float64", "float32"}:
        return f"{kind}({_real(value)})"
    if kind in {"rune", "byte"} and isinstance(value, str):
        return _letter(value)
    if re.fullmatch(r"u?int(8|16|32|64)?|rune|byte", kind):
        return f"{kind}({_whole(value)})"
    raise Unwritable(f"type {kind}")


_BOXED = {"int": "Integer", "long": "Long", "double": "Double", "float": "Float", "boolean": "Boolean",
          "char": "Character"}  # fmt: skip


def _java(value: Any, kind: str) -> str:
    kind = re.sub(r"\bfinal\b|java\.util\.", "", kind).strip()
    if kind.endswith("[]"):
        return f"new {kind}{{{', '.join(_java(one, kind[:-2]) for one in _items(value))}}}"
    if match := re.match(r"(List|ArrayList|Collection|Iterable|Set|HashSet)\s*<", kind):
        made = "HashSet" if "Set" in match[1] else "ArrayList"
        inner = _inside(kind)[0]
        return f"new {made}<{inner}>(Arrays.<{inner}>asList({', '.join(_java(one, inner) for one in _items(value))}))"
    if re.match(r"(Map|HashMap)\s*<", kind):
        first, second = _inside(kind)
        pairs = (f"{_java(key, first)}, {_java(one, second)}" for key, one in _pairs(value, first))
        return f"Main.<{first}, {second}>map({', '.join(pairs)})"
    if kind == "String":
        return "null" if value is None else _text(value)
    if kind in {"boolean", "Boolean"}:
        return _truth(value)
    if kind in {"double", "Double"}:
        return _real(value)
    if kind in {"float", "Float"}:
        return f"{_real(value)}f"
    if kind in {"char", "Character"}:
        return _letter(value)
    if kind in {"int", "Integer", "long", "Long"}:
        return f"{_whole(value)}" + ("L" if kind.lower() == "long" else "")
    raise Unwritable(f"type {kind}")


def _rust(value: Any, kind: str) -> str:
    kind = re.sub(r"&\s*'\w+\s*", "&", kind).strip()
    if kind.startswith("&mut"):
        return f"&mut {_rust(value, kind[4:])}"
    if kind.startswith("&"):
        inner = kind[1:].strip()
        return _text(value) if inner == "str" else f"&{_rust(value, inner)}"
    if match := re.fullmatch(r"Vec<(.+)>|\[(.+)\]", kind):
        inner = match[1] or match[2]
        return f"Vec::<{inner}>::from([{', '.join(_rust(one, inner) for one in _items(value))}])"
    if match := re.fullmatch(r"Option<(.+)>", kind):
        return f"None::<{match[1]}>" if value is None else f"Some({_rust(value, match[1])})"
    if match := re.match(r"(?:std::collections::)?((?:Hash|BTree)Set)<", kind):
        inner = _inside(kind)[0]
        items = ", ".join(_rust(one, inner) for one in _items(value))
        return f"std::collections::{match[1]}::<{inner}>::from([{items}])"
    if match := re.match(r"(?:std::collections::)?((?:Hash|BTree)Map)<", kind):
        first, second = _inside(kind)
        pairs = ", ".join(f"({_rust(key, first)}, {_rust(one, second)})" for key, one in _pairs(value, first))
        return f"std::collections::{match[1]}::<{first}, {second}>::from([{pairs}])"
    if kind == "String":
        return f"String::from({_text(value)})"
    if kind == "bool":
        return _truth(value)
    if kind == "char":
        return _letter(value)
    if kind in {"f64", "f32"}:
        return f"({_real(value)}{kind})"
    if re.fullmatch(r"[iu](8|16|32|64|128|size)", kind):
        return f"({_whole(value)}{kind})"
    raise Unwritable(f"type {kind}")


_WRITERS: dict[str, Literal] = {"cpp": _cpp, "go": _go, "java": _java, "rust": _rust}
