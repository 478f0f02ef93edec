"""JSON values as literals of a language, by the types that a function's signature gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from eval.sandbox.functions import split_at_commas


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
        text = json.dumps(value)
        if re.search(r"(?<![\w.])-?\d{309}", text):
            raise Unwritable("too large a number")  # which would be infinite there
        return f"JSON.parse({json.dumps(text)})" if "__proto__" in text else text  # which a literal sets as no name
    return _WRITERS[language](value, " ".join(kind.split()))


def _quoted(value: Any, language: str) -> str:
    """A string literal in which all but printable ASCII is an escape of the language."""
    if not isinstance(value, str):
        raise Unwritable("no text")
    if language in {"cpp", "go"}:  # bytes: octal has three digits at most, so that no digit behind it belongs to it
        units, form = list(value.encode("utf-8", "surrogatepass")), "\\{:03o}"
    elif language == "java":
        coded = value.encode("utf-16-be", "surrogatepass")
        units, form = [coded[n] << 8 | coded[n + 1] for n in range(0, len(coded), 2)], "\\u{:04x}"
    else:
        units, form = list(map(ord, value)), "\\u{{{:x}}}"
        if any(0xD800 <= unit < 0xE000 for unit in units):
            raise Unwritable("half a letter")
    text = []
    for unit in units:
        if chr(unit) in '"\\' or (language == "cpp" and unit == ord("?")):  # two of those begin a trigraph
            text.append(f"\\{chr(unit)}")
        elif unit < ord(" ") and language == "java":  # Java reads \u000a as the end of the line
            text.append(f"\\{unit:03o}")
        else:
            text.append(chr(unit) if " " <= chr(unit) <= "~" else form.format(unit))
    return f'"{"".join(text)}"'


_BITS = {"short": 16, "int": 32, "long": 64, "size_t": 64, "Integer": 32, "Long": 64}
"""Of integer types of C++ and Java."""


def _whole(value: Any, bits: int = 64, *, signed: bool = True) -> int:
    """An integer that the type has room for; 2.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unwritable("no integer")
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not least <= value < most or value == -(2**63):  # which would be the negative of one that is too large
        raise Unwritable("too large an integer")
    return value


def _real(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Unwritable("no number")
    try:
        return repr(float(value))
    except OverflowError:
        raise Unwritable("too large a number") from None


def _truth(value: Any) -> str:
    if not isinstance(value, bool):
        raise Unwritable("no boolean")
    return "true" if value else "false"


def _letter(value: Any, most: int) -> int:
    """The number of a letter."""
    if not isinstance(value, str) or len(value) != 1 or ord(value) > most:
        raise Unwritable("no letter")
    return ord(value)


def _items(value: Any, count: int | None = None) -> list[Any]:
    if not isinstance(value, list):
        raise Unwritable("no list")
    if count is not None and len(value) != count:
        raise Unwritable("another length")
    return value


_WHOLE_KEY = re.compile(r"(unsigned |signed )?(u?int\d*(_t)?|(long )*(long|short)|size_t|[iu](\d+|size)|Integer|Long)")


def _pairs(value: Any, key: str) -> list[tuple[Any, Any]]:
    """The items of an object, whose keys are numbers where the type says so."""
    if not isinstance(value, dict):
        raise Unwritable("no object")
    try:
        return [(int(name) if _WHOLE_KEY.fullmatch(key) else name, item) for name, item in value.items()]
    except ValueError:
        raise Unwritable("no integer key") from None


def _inside(kind: str) -> list[str]:
    """The types between `<` and `>`."""
    return [part.strip() for part in split_at_commas(kind[kind.index("<") + 1 : kind.rindex(">")])]


def _cpp(value: Any, kind: str) -> str:
    kind = " ".join(re.sub(r"\bconst\b|&|\bstd::", "", kind).split())
    if re.match(r"(vector|set|unordered_set|deque|list)\s*<", kind):
        inner = _inside(kind)[0]
        return f"{kind}{{{', '.join(_cpp(one, inner) for one in _items(value))}}}"
    if re.match(r"(map|unordered_map)\s*<", kind):
        first, second = _inside(kind)
        pairs = (f"{{{_cpp(key, first)}, {_cpp(one, second)}}}" for key, one in _pairs(value, first))
        return f"{kind}{{{', '.join(pairs)}}}"
    if re.match(r"(pair|tuple)\s*<", kind):
        kinds = _inside(kind)
        parts = [_cpp(one, each) for one, each in zip(_items(value, len(kinds)), kinds, strict=True)]
        return f"{kind}{{{', '.join(parts)}}}"
    if re.match(r"optional\s*<", kind):
        return f"{kind}()" if value is None else f"{kind}({_cpp(value, _inside(kind)[0])})"
    if kind == "string":
        size = len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0
        return f"string({_quoted(value, 'cpp')}, {size})"  # which may hold a zero
    if kind == "char":
        return f"char({_letter(value, 127)})"
    if kind == "bool":
        return _truth(value)
    if kind in {"double", "float", "long double"}:
        return _real(value)
    if match := re.fullmatch(
        r"(unsigned |signed )?(int|short|(?:long )?long|size_t|(u?)int(\d+)_t)( int)?|unsigned", kind
    ):
        name = (match[2] or "int").removeprefix("long ")
        signed = match[1] != "unsigned " and not match[3] and kind not in {"unsigned", "size_t"}
        bits = int(match[4]) if match[4] else _BITS[name]
        return f"{_whole(value, bits, signed=signed)}" + ("" if bits < 64 else "LL" if signed else "ULL")
    raise Unwritable(f"type {kind}")


def _go(value: Any, kind: str) -> str:
    kind = kind.strip()
    if match := re.match(r"\[(\d*)\](.+)", kind):
        items = _items(value, int(match[1]) if match[1] else None)
        return f"{kind}{{{', '.join(_go(one, match[2]) for one in items)}}}"
    if match := re.match(r"map\[(\w+|interface ?\{\})\](.+)", kind):
        pairs = (f"{_go(key, match[1])}: {_go(one, match[2])}" for key, one in _pairs(value, match[1]))
        return f"{kind}{{{', '.join(pairs)}}}"
    if kind in {"interface{}", "interface {}", "any"}:
        return "nil" if value is None else _go(value, _kind_of(value, "go"))
    if kind == "string":
        return _quoted(value, "go")
    if kind == "bool":
        return _truth(value)
    if kind in {"float64", "float32"}:
        return f"{kind}({_real(value)})"
    if kind in {"rune", "byte"} and isinstance(value, str):
        return f"{kind}({_letter(value, 0x10FFFF if kind == 'rune' else 127)})"
    if match := re.fullmatch(r"(u?)int(8|16|32|64|)|rune|byte", kind):
        bits = int(match[2]) if match[2] else {"rune": 32, "byte": 8}.get(kind, 64)
        return f"{kind}({_whole(value, bits, signed=not match[1] and kind != 'byte')})"
    raise Unwritable(f"type {kind}")


_ANYTHING = {
    "go": ("bool", "int", "float64", "string", "[]interface{}", "map[string]interface{}"),
    "java": ("Boolean", "Integer", "Double", "String", "List<Object>", "Map<Object, Object>"),
}
"""What a boolean, a whole number, another number, a text, a list and an object are where the type is left open."""


def _kind_of(value: Any, language: str) -> str:
    boolean, whole, real, text, items, pairs = _ANYTHING[language]
    if isinstance(value, bool):
        return boolean
    kinds = ((int, whole), (float, real), (str, text), (list, items), (dict, pairs))
    return next(kind for made, kind in kinds if isinstance(value, made))


_BOXED = {"int": "Integer", "long": "Long", "double": "Double", "float": "Float", "boolean": "Boolean",
          "char": "Character"}  # fmt: skip
_JAVA_LISTS = {
    "ArrayList": r"List|ArrayList|Collection|Iterable",
    "LinkedList": r"LinkedList|Deque|Queue",
    "LinkedHashSet": r"Set|LinkedHashSet",
    "HashSet": r"HashSet",
    "TreeSet": r"TreeSet|SortedSet",
}
_JAVA_MAPS = {"LinkedHashMap": r"Map|HashMap|LinkedHashMap", "TreeMap": r"TreeMap|SortedMap"}
"""What is made, and of which types it is."""


def _java(value: Any, kind: str) -> str:
    kind = re.sub(r"\bfinal\b|java\.util\.", "", kind).strip()
    if kind.endswith("[]"):
        return f"new {kind}{{{', '.join(_java(one, kind[:-2]) for one in _items(value))}}}"
    if value is None and (kind in {"String", "Object"} or kind in _BOXED.values()):
        return f"({kind}) null"
    if kind == "Object":
        return f"(Object) ({_java(value, _kind_of(value, 'java'))})"
    if match := re.match(r"(\w+)\s*<", kind):
        return _java_generic(value, kind, match[1])
    if kind == "String":
        return _quoted(value, "java")
    if kind in {"boolean", "Boolean"}:
        return _truth(value)
    if kind in {"double", "Double"}:
        return _real(value)
    if kind in {"float", "Float"}:
        return f"{_real(value)}f"
    if kind in {"char", "Character"}:
        return f"(char) {_letter(value, 0xFFFF)}"
    if kind in {"int", "Integer", "long", "Long"}:
        return f"{_whole(value, _BITS[kind])}" + ("L" if kind.lower() == "long" else "")
    raise Unwritable(f"type {kind}")


def _java_generic(value: Any, kind: str, name: str) -> str:
    inner = _inside(kind)
    for made, names in _JAVA_LISTS.items():
        if re.fullmatch(names, name):
            items = ", ".join(_java(one, inner[0]) for one in _items(value))
            return f"new {made}<{inner[0]}>(Arrays.<{inner[0]}>asList({items}))"
    for made, names in _JAVA_MAPS.items():
        if re.fullmatch(names, name):
            first, second = inner
            pairs = (f"{_java(key, first)}, {_java(one, second)}" for key, one in _pairs(value, first))
            return f"new {made}<{first}, {second}>(Main.<{first}, {second}>map({', '.join(pairs)}))"
    if name == "Optional":
        made = "empty()" if value is None else f"of({_java(value, inner[0])})"
        return f"Optional.<{inner[0]}>{made}"
    raise Unwritable(f"type {kind}")


def _rust(value: Any, kind: str) -> str:
    kind = re.sub(r"&\s*'\w+\s*", "&", kind).strip()
    if kind.startswith("&mut"):
        return f"&mut {_rust(value, kind[4:])}"
    if kind.startswith("&"):
        inner = kind[1:].strip()
        return _quoted(value, "rust") if inner == "str" else f"&{_rust(value, inner)}"
    if re.match(r"[(\[]|[\w:]+<", kind):
        return _rust_container(value, kind)
    if kind == "String":
        return f"String::from({_quoted(value, 'rust')})"
    if kind == "bool":
        return _truth(value)
    if kind == "char":
        return f"'\\u{{{_letter(value, 0x10FFFF):x}}}'"
    if kind in {"f64", "f32"}:
        return f"({_real(value)}{kind})"
    if match := re.fullmatch(r"([iu])(8|16|32|64|128|size)", kind):
        bits = 64 if match[2] == "size" else int(match[2])
        return f"({_whole(value, bits, signed=match[1] == 'i')}{kind})"
    raise Unwritable(f"type {kind}")


def _rust_container(value: Any, kind: str) -> str:
    if match := re.fullmatch(r"\((.+)\)", kind):
        kinds = [part.strip() for part in split_at_commas(match[1]) if part.strip()]
        return f"({''.join(f'{_rust(*one)}, ' for one in zip(_items(value, len(kinds)), kinds, strict=True))})"
    if match := re.fullmatch(r"\[(.+); ?(\d+)\]", kind):
        return f"[{', '.join(_rust(one, match[1]) for one in _items(value, int(match[2])))}]"
    if match := re.fullmatch(r"Vec<(.+)>|\[(.+)\]", kind):
        inner = match[1] or match[2]
        return f"Vec::<{inner}>::from([{', '.join(_rust(one, inner) for one in _items(value))}])"
    if match := re.fullmatch(r"Option<(.+)>", kind):
        return f"None::<{match[1]}>" if value is None else f"Some({_rust(value, match[1])})"
    if kind.startswith("Result<"):  # which tests as data expect to be one
        kinds = _inside(kind)
        return f"Ok::<{', '.join(kinds)}>({_rust(value, kinds[0])})"
    if match := re.match(r"(?:std::collections::)?((?:Hash|BTree)(?:Set|Map))<", kind):
        kinds = _inside(kind)
        if match[1].endswith("Set"):
            items = [_rust(one, kinds[0]) for one in _items(value)]
        else:
            items = [f"({_rust(key, kinds[0])}, {_rust(one, kinds[1])})" for key, one in _pairs(value, kinds[0])]
        return f"std::collections::{match[1]}::<{', '.join(kinds)}>::from([{', '.join(items)}])"
    raise Unwritable(f"type {kind}")


_WRITERS: dict[str, Literal] = {"cpp": _cpp, "go": _go, "java": _java, "rust": _rust}
