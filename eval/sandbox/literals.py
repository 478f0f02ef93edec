"""JSON values as literals of a language, by the types that a function's signature gives."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from eval.sandbox.functions import split_at_commas
from eval.sandbox.inside.values import MAX_WHOLE


class Unwritable(ValueError):  # noqa: N818 - what it says of a value
    """The value is none of the type."""


class NoRoom(Unwritable):
    """The value is a number, and none of the type's: too large a one, or a fraction where the type has whole ones."""


Own = Callable[[Any, str], str | None]
"""A value of a type that the candidate declares, as an expression; None for other types."""


def literal(value: Any, kind: str, language: str, own: Own | None = None) -> str:
    """A value as an expression of a type.

    Args:
        value: of JSON.
        kind: the type as the language writes it.
        language: cpp, go, java, javascript, rust or typescript.
        own: what writes values of the candidate's types.

    Raises:
        Unwritable: the value is not one of the type, or the type is not plain data.
    """
    if language in {"javascript", "typescript"}:
        return plain_script(value, big=True)
    return _WRITERS[language](value, " ".join(kind.split()), own or _none)


def plain_script(value: Any, *, big: bool = False) -> str:
    """A value as an expression of JavaScript.

    Args:
        value: of JSON.
        big: whether an integer that a number cannot be may be a bigint: in what is expected, not in an argument.

    Raises:
        Unwritable: a number that there is none of.
    """
    if isinstance(value, list):
        return f"[{', '.join(plain_script(one, big=big) for one in value)}]"
    if isinstance(value, dict):  # in brackets "__proto__" is a name as any other
        names = [f"[{json.dumps(name)}]" if name == "__proto__" else json.dumps(name) for name in value]
        items = (plain_script(one, big=big) for one in value.values())
        return f"{{{', '.join(f'{name}: {one}' for name, one in zip(names, items, strict=True))}}}"
    if type(value) is int and abs(value) >= MAX_WHOLE:
        if abs(value) >= 2**1024:  # which would be infinite there
            raise Unwritable("too large a number")
        if big:
            return f"{value}n"
        if int(float(value)) != value:
            raise Unwritable("too large an integer")
    return json.dumps(value)


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


_BITS = {"char": 8, "short": 16, "int": 32, "long": 64, "size_t": 64, "byte": 8, "Byte": 8, "Short": 16, "Integer": 32,
         "Long": 64}  # fmt: skip
"""Of integer types of C++ and Java."""


def _whole(value: Any, bits: int = 64, *, signed: bool = True) -> int:
    """An integer that the type has room for; 2.0 is one."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float):
        raise NoRoom("no whole number")
    if isinstance(value, bool) or not isinstance(value, int):
        raise Unwritable("no integer")
    least, most = (-(2 ** (bits - 1)), 2 ** (bits - 1)) if signed else (0, 2**bits)
    if not least <= value < most:
        raise NoRoom("too large an integer")
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


def _letters(value: Any, kind: str) -> Any:
    """A text as the list of its letters, where a list of letters is wanted."""
    return list(value) if isinstance(value, str) and kind in {"char", "Character", "rune", "byte", "u8"} else value


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


def _none(value: Any, kind: str) -> None:
    """Of a candidate that declares no types."""


def _cpp(value: Any, kind: str, own: Own) -> str:
    kind = " ".join(re.sub(r"\bconst\b|&|\bstd::", "", kind).split())
    if re.match(r"(vector|set|unordered_set|deque|list|array)\s*<", kind):
        inner, *size = _inside(kind)
        items = _items(_letters(value, inner), int(size[0]) if kind.startswith("array") and size else None)
        return f"{kind}{{{', '.join(_cpp(one, inner, own) for one in items)}}}"
    if re.match(r"(map|unordered_map)\s*<", kind):
        first, second = _inside(kind)
        pairs = (f"{{{_cpp(key, first, own)}, {_cpp(one, second, own)}}}" for key, one in _pairs(value, first))
        return f"{kind}{{{', '.join(pairs)}}}"
    if re.match(r"(pair|tuple)\s*<", kind):
        kinds = _inside(kind)
        parts = [_cpp(one, each, own) for one, each in zip(_items(value, len(kinds)), kinds, strict=True)]
        return f"{kind}{{{', '.join(parts)}}}"
    if re.match(r"optional\s*<", kind):
        return f"{kind}()" if value is None else f"{kind}({_cpp(value, _inside(kind)[0], own)})"
    if kind in {"string", "string_view"}:
        length = len(value.encode("utf-8", "surrogatepass")) if isinstance(value, str) else 0
        return f"{kind}({_quoted(value, 'cpp')}, {length})"  # which may hold a zero
    if kind == "char":
        return f"char({_letter(value, 127)})"
    if kind == "bool":
        return _truth(value)
    if kind in {"double", "float", "long double"}:
        return _real(value)
    if match := re.fullmatch(
        r"(unsigned |signed )?(int|short|char|(?:long )?long|size_t|(u?)int(\d+)_t)( int)?|unsigned", kind
    ):
        name = (match[2] or "int").removeprefix("long ")
        signed = match[1] != "unsigned " and not match[3] and kind not in {"unsigned", "size_t"}
        bits = int(match[4]) if match[4] else _BITS[name]
        whole = _whole(value, bits, signed=signed)
        if whole == -(2**63):  # which C++ would read as the negative of one that is too large
            return f"({whole + 1}LL - 1)"
        return f"{whole}" + ("" if bits < 64 else "LL" if signed else "ULL")
    if (text := own(value, kind)) is not None:
        return text
    raise Unwritable(f"type {kind}")


def _go(value: Any, kind: str, own: Own) -> str:
    kind = kind.strip()
    text = _go_held(value, kind, own) or own(value, kind)
    if text is not None:
        return text
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


def _go_held(value: Any, kind: str, own: Own) -> str | None:
    """What holds values of other types; None for a type that does not."""
    if match := re.match(r"\[(\d*)\](.+)", kind):
        if value is None and not match[1]:
            return f"{kind}(nil)"
        items = _items(_letters(value, match[2]), int(match[1]) if match[1] else None)
        return f"{kind}{{{', '.join(_go(one, match[2], own) for one in items)}}}"
    if match := re.match(r"map\[(\w+|interface ?\{\})\](.+)", kind):
        if value is None:
            return f"{kind}(nil)"
        pairs = (f"{_go(key, match[1], own)}: {_go(one, match[2], own)}" for key, one in _pairs(value, match[1]))
        return f"{kind}{{{', '.join(pairs)}}}"
    if kind in {"interface{}", "interface {}", "any"}:
        return "nil" if value is None else _go(value, _kind_of(value, "go"), own)
    if kind.startswith("*"):
        return f"({kind})(nil)" if value is None else f"wcPointer({_go(value, kind[1:], own)})"
    if kind == "error" and value is None:
        return "error(nil)"
    return None


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
          "char": "Character", "byte": "Byte", "short": "Short"}  # fmt: skip
_JAVA_LISTS = {
    "ArrayList": r"List|ArrayList|Collection|Iterable",
    "LinkedList": r"LinkedList|Deque|Queue",
    "ArrayDeque": r"ArrayDeque",
    "LinkedHashSet": r"Set|LinkedHashSet",
    "HashSet": r"HashSet",
    "TreeSet": r"TreeSet|SortedSet",
}
_JAVA_MAPS = {"LinkedHashMap": r"Map|HashMap|LinkedHashMap", "TreeMap": r"TreeMap|SortedMap"}
"""What is made, and of which types it is."""
_JAVA_OPTIONAL = {"OptionalInt": "int", "OptionalLong": "long", "OptionalDouble": "double"}


def _java(value: Any, kind: str, own: Own) -> str:
    kind = re.sub(r"\bfinal\b|java\.(util|math)\.|\? (extends|super) ", "", kind).strip()
    if kind.endswith("[]"):
        items = _items(_letters(value, kind[:-2]))
        return f"new {kind}{{{', '.join(_java(one, kind[:-2], own) for one in items)}}}"
    if value is None and (kind in {"String", "Object", "BigInteger", "BigDecimal"} or kind in _BOXED.values()):
        return f"({kind}) null"
    if kind in {"Object", "Number"}:
        return f"({kind}) ({_java(value, _kind_of(value, 'java'), own)})"
    if (text := own(value, kind)) is not None:
        return text
    if kind in _JAVA_OPTIONAL:
        return f"{kind}.empty()" if value is None else f"{kind}.of({_java(value, _JAVA_OPTIONAL[kind], own)})"
    if match := re.match(r"(\w+)\s*<", kind):
        return _java_generic(value, kind, match[1], own)
    return _java_scalar(value, kind)


def _java_scalar(value: Any, kind: str) -> str:
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
    if kind in {"byte", "Byte", "short", "Short"}:
        return f"({kind.lower()}) {_whole(value, _BITS[kind])}"
    if kind in {"int", "Integer", "long", "Long"}:
        return f"{_whole(value, _BITS[kind])}" + ("L" if kind.lower() == "long" else "")
    if kind == "BigInteger":
        return f'new java.math.BigInteger("{_whole(value, 1 << 16)}")'
    if kind == "BigDecimal":
        return f'new java.math.BigDecimal("{_real(value) if isinstance(value, float) else _whole(value, 1 << 16)}")'
    raise Unwritable(f"type {kind}")


def _java_generic(value: Any, kind: str, name: str, own: Own) -> str:
    inner = _inside(kind)
    for made, names in _JAVA_LISTS.items():
        if re.fullmatch(names, name):
            items = ", ".join(_java(one, inner[0], own) for one in _items(value))
            return f"new {made}<{inner[0]}>(Arrays.<{inner[0]}>asList({items}))"
    for made, names in _JAVA_MAPS.items():
        if re.fullmatch(names, name):
            first, second = inner
            pairs = (f"{_java(key, first, own)}, {_java(one, second, own)}" for key, one in _pairs(value, first))
            return f"new {made}<{first}, {second}>(Main.<{first}, {second}>map({', '.join(pairs)}))"
    if name == "Optional":
        made = "empty()" if value is None else f"of({_java(value, inner[0], own)})"
        return f"Optional.<{inner[0]}>{made}"
    if name == "Entry" and len(inner) == 2:
        parts = [_java(one, each, own) for one, each in zip(_items(value, 2), inner, strict=True)]
        return f"new AbstractMap.SimpleEntry<{inner[0]}, {inner[1]}>({', '.join(parts)})"
    raise Unwritable(f"type {kind}")


def _rust(value: Any, kind: str, own: Own) -> str:
    kind = re.sub(r"&\s*'\w+\s*", "&", kind).strip()
    if kind.startswith("&mut"):
        return f"&mut {_rust(value, kind[4:], own)}"
    if kind.startswith("&"):
        inner = kind[1:].strip()
        return _quoted(value, "rust") if inner == "str" else f"&{_rust(value, inner, own)}"
    if re.match(r"[(\[]|[\w:]+<", kind):
        return _rust_container(value, kind, own)
    if (text := own(value, kind)) is not None:
        return text
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
        if kind == "u8" and isinstance(value, str):
            value = _letter(value, 127)
        return f"({_whole(value, bits, signed=match[1] == 'i')}{kind})"
    raise Unwritable(f"type {kind}")


def _rust_container(value: Any, kind: str, own: Own) -> str:
    if match := re.fullmatch(r"\((.+)\)", kind):
        kinds = [part.strip() for part in split_at_commas(match[1]) if part.strip()]
        pairs = zip(_items(value, len(kinds)), kinds, strict=True)
        return f"({''.join(f'{_rust(*one, own)}, ' for one in pairs)})"
    if match := re.fullmatch(r"\[(.+); ?(\d+)\]", kind):
        return f"[{', '.join(_rust(one, match[1], own) for one in _items(value, int(match[2])))}]"
    if match := re.fullmatch(r"(?:(Vec|VecDeque)<(.+)>|\[(.+)\])", kind):
        inner = match[2] or match[3]
        items = ", ".join(_rust(one, inner, own) for one in _items(_letters(value, inner)))
        return f"{'std::collections::VecDeque' if match[1] == 'VecDeque' else 'Vec'}::<{inner}>::from([{items}])"
    if match := re.fullmatch(r"(?:std::option::)?Option<(.+)>", kind):
        return f"None::<{match[1]}>" if value is None else f"Some({_rust(value, match[1], own)})"
    if match := re.fullmatch(r"Box<(?!dyn)(.+)>", kind):
        return f"Box::new({_rust(value, match[1], own)})"
    if kind.startswith("Result<"):  # which tests as data expect to be one
        kinds = _inside(kind)
        return f"Ok::<{', '.join(kinds)}>({_rust(value, kinds[0], own)})"
    if match := re.match(r"(?:std::collections::)?((?:Hash|BTree)(?:Set|Map))<", kind):
        kinds = _inside(kind)
        if match[1].endswith("Set"):
            written = [_rust(one, kinds[0], own) for one in _items(value)]
        else:
            entries = _pairs(value, kinds[0])
            written = [f"({_rust(key, kinds[0], own)}, {_rust(one, kinds[1], own)})" for key, one in entries]
        return f"std::collections::{match[1]}::<{', '.join(kinds)}>::from([{', '.join(written)}])"
    raise Unwritable(f"type {kind}")


_WRITERS: dict[str, Callable[[Any, str, Own], str]] = {"cpp": _cpp, "go": _go, "java": _java, "rust": _rust}
