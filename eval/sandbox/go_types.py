"""Go's types that a candidate declares and that are nothing but data: structs, other names of plain types, constants.

The tests' program declares them as the candidate does, so that its values can be compared, by the equality that the
language defines: Go has no other. Methods stay in the candidate's program; the tests call those that they name, but
none that is told what a value ought to be.
"""

from __future__ import annotations

import re
from dataclasses import replace

from eval.sandbox import go_generics
from eval.sandbox.functions import Function, split_at_commas

_BASIC = """int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 complex64 complex128 bool string
byte rune error"""
PREDECLARED = frozenset(
    f"""{_BASIC} any comparable uintptr true false iota nil append cap clear close complex copy delete imag len make max
    min new panic print println real recover init main assert""".split()
)
"""Names that a declaration of the candidate's must not take from the tests."""
_PLAIN = frozenset(f"{_BASIC} map struct func time.Time time.Duration big.Int big.Rat io.Reader io.Writer".split())
_STRUCT = re.compile(r"^type[ \t]+(\w+)[ \t]*(\[[^\[\]\n]*\])?[ \t]+struct[ \t]*(?=\{)", re.MULTILINE)
_NAMED = re.compile(
    r"^type[ \t]+(\w+)(\[[A-Za-z_][\w, ]*[ \t]+[^\[\]\n]*\])?[ \t]+"
    r"((?:[\w\[\]*. ]|\b(?:interface|struct)[ ]?\{\})+?|func[ \t]*\([^{}\n]*)[ \t]*$",
    re.MULTILINE,
)
OPAQUE = "wavecoderHandle"
"""The one field that the tests see of an object which stays at the candidate's."""
_CONSTANTS = re.compile(r"^const[ \t]*\(([^()]*)\)|^const[ \t]+([^()\n]+)$", re.MULTILINE)
_METHOD = re.compile(
    r"^func[ \t]*\([ \t]*(?:\w+[ \t]+)?(\*?)(\w+(?:\[[\w, ]+\])?)[ \t]*\)[ \t]*(\w+)[ \t]*(?=\()", re.MULTILINE
)
_BY_LIBRARY = frozenset(
    {"Error", "String", "Unwrap", "Push", "Pop", "Read", "Write", "Close", "GoString", "MarshalJSON"}
)
"""Methods that the library calls, also where the tests do not name them."""
_INTERFACE = re.compile(r"^type[ \t]+(\w+)[ \t]+interface[ \t]*\{([^{}|~]*)\}", re.MULTILINE)
_SENTINEL = re.compile(
    r"^(?:var)?[ \t]+(\w+)(?:[ \t]+error)?[ \t]*=[ \t]*((?:errors\.New|fmt\.Errorf)\(\"(?:\\.|[^\"\\\n])*\"\))",
    re.MULTILINE,
)
_JUDGING = re.compile(r"equal|cmp|compare|less|match|same|^eq", re.IGNORECASE)
_ASKING = re.compile(r"contain|^has|^is", re.IGNORECASE)
"""Methods that are told what a value ought to be or to hold: the second may be what a class, such as a set, is for."""


def data_types(source: str) -> dict[str, str]:
    """Name → declaration of the types that are data.

    Args:
        source: Go without comments.
    """
    found = {name: (f"type {name}{_head(given)} struct {{{body}}}", _words(body) - set(_parameters(given)))
             for name, given, body in _structs(source)}  # fmt: skip
    found |= {name: (f"type {name}{_head(given)} {kind}", _kind_words(kind) - {"interface", "any", *_parameters(given)})
              for name, given, kind in _NAMED.findall(source) if name not in found and kind != "struct"}  # fmt: skip
    found = {name: each for name, each in found.items() if name not in PREDECLARED and "wavecoder" not in name}
    found |= {name: (f"type {name} interface {{{body}}}", _words_of_methods(body))
              for name, body in _INTERFACE.findall(source) if name not in PREDECLARED}  # fmt: skip
    found = {name: each for name, each in found.items() if not _compares(each[0])}
    while wrong := [name for name, (_, words) in found.items() if not words <= _PLAIN | set(found)]:
        for name in wrong:
            head = re.match(r"type \w+(?:\[.*?\])? struct\b", found[name][0])
            if head and name not in found[name][1]:  # it stays where it is
                found[name] = (f"{head[0]} {{ {OPAQUE} uint64 }}", {"uint64"})
            else:
                del found[name]
    return {name: text for name, (text, _) in found.items()}


def _structs(source: str) -> list[tuple[str, str, str]]:
    """Name, type parameters and fields of the structs."""
    found = []
    for match in _STRUCT.finditer(source):
        body = source[match.end() + 1 : _closing(source, match.end()) - 1]
        if not re.search(r"\{(?![ \t]*\}|[ \t]*\n)", body) and "interface {\n" not in body:
            found.append((match[1], match[2] or "", body))
    return found


def _head(given: str) -> str:
    """Type parameters as the tests' program declares them: no more than what such a type needs."""
    parts: list[str] = []
    for part in reversed([" ".join(each.split()) for each in split_at_commas(given[1:-1]) if each.strip()]):
        name, _, constraint = part.partition(" ")
        last = parts[-1].partition(" ")[2] if parts else "any"
        kind = last if not constraint else "any" if constraint in {"any", "interface{}"} else "comparable"
        parts.append(f"{name} {'any' if '[' in constraint else kind}")
    return f"[{', '.join(reversed(parts))}]" if parts else ""


def is_opaque(text: str) -> bool:
    """Whether a declaration says only that there is an object at the candidate's."""
    return OPAQUE in text


def _parameters(given: str) -> list[str]:
    """The names of type parameters between brackets."""
    return [part.split()[0] for part in split_at_commas(given[1:-1]) if part.split()]


def with_fields(types: dict[str, str], source: str, tests: str) -> tuple[dict[str, str], dict[str, list[str]]]:
    """The types, those that stay at the candidate's with the fields that tests name and that are data; and these."""
    data = {name for name, text in types.items() if not is_opaque(text) and " interface " not in text}
    told, bodies = dict(types), {name: body for name, _, body in _structs(source)}
    fields: dict[str, list[str]] = {}
    for name, text in types.items():
        lines = _fields(bodies.get(name, "")) if is_opaque(text) and not re.match(r"type \w+\[", text) else {}
        kept = {
            field: kind
            for field, kind in lines.items()
            if _kind_words(kind) <= (_PLAIN - {"func", "error", "io.Reader", "io.Writer"}) | data
            and re.search(rf"\.{field}\b(?!\s*\()|\b{field}\s*:", tests)
        }
        if kept:
            told[name] = text[:-1] + "".join(f"; {field} {kind}" for field, kind in kept.items()) + " }"
            fields[name] = list(kept)
    return told, fields


def _is_constructed(name: str, tests: str) -> bool:
    """Whether the tests make a value of a type, by its name or a function that is named after it."""
    literal = rf"\b{name}(?:\[[^\]\n]*\])?\{{|\bnew\({name}\b|\bvar\s+\w+\s+\*?{name}\b"
    return bool(re.search(rf"{literal}|\b[Nn]ew{name}\w*(?:\[[^\]\n]*\])?\(", tests))


def own_kinds(source: str, types: dict[str, str]) -> dict[str, set[str]]:
    """The candidate's types that a type parameter may stand for → the constraints that allow them."""
    known = {"fmt.Stringer": {"String": ((), "string")}} | _interfaces(source)
    made: dict[str, set[str]] = {}
    for name, text in types.items():
        if is_opaque(text) or " interface " in text or re.match(r"type \w+\[", text):
            continue
        for star in ["", "*"][: 1 + bool(re.search(rf"\*{name}\b", source))]:
            has = {
                each: (tuple(_kinds(given)), _results(returns))
                for pointer, path, each, given, returns in _methods(source)
                if path == name and pointer <= star
            }
            made[star + name] = {"any", "interface{}"} | {
                each for each, asked in known.items() if asked.items() <= has.items()
            }
            if star or _is_comparable(name, types):
                made[star + name].add("comparable")
    return made


def _interfaces(source: str) -> dict[str, dict[str, tuple[tuple[str, ...], str]]]:
    """The candidate's interfaces of methods alone → the kinds that each method takes, and its results."""
    found = {}
    for name, body in _INTERFACE.findall(source):
        lines = [line.strip() for line in re.split(r"[\n;]", body) if line.strip() not in {"", "comparable"}]
        heads = [re.fullmatch(r"(\w+)[ \t]*\((.*?)\)[ \t]*(.*?)", line) for line in lines]
        if heads and all(heads):
            found[name] = {head[1]: (tuple(_kinds(head[2])), _results(head[3])) for head in heads if head}
    return found


def _is_comparable(name: str, types: dict[str, str], depth: int = 0) -> bool:
    text = types[name].partition(name)[2]
    inner = set(re.findall(r"[A-Za-z_]\w*", text)) & set(types)
    return not re.search(r"\[\]|\bmap\[|\bfunc\b", text) and depth < 9 and " interface " not in text and all(
        _is_comparable(each, types, depth + 1) for each in inner - {name}
    )  # fmt: skip


def _fields(body: str) -> dict[str, str]:
    """Name → type of the fields that stand in lines of their own; none where a struct stands within."""
    found: dict[str, str] = {}
    for line in [] if "{" in body else re.split(r"[\n;]", re.sub(r'"[^"]*"', "", body)):
        if match := re.fullmatch(r"[ \t]*(\w+(?:[ \t]*,[ \t]*\w+)*)[ \t]+([\w\[*].*?)[ \t]*", line):
            found |= dict.fromkeys(re.split(r"[ \t]*,[ \t]*", match[1]), match[2])
    return found


def _kind_words(kind: str) -> set[str]:
    """The words of a type; of a function's without the names of its parameters."""
    text = re.sub(r"(?<=[(,])[ \t]*[a-z]\w*[ \t]+(?=[\w*\[.])", " ", kind) if kind.startswith("func") else kind
    return set(re.findall(r"[A-Za-z_][\w.]*", text))


def _compares(text: str) -> bool:
    """Whether a type is an interface that is told what a value ought to be."""
    if " interface " not in text:
        return False
    heads = re.findall(r"(\w+)[ \t]*\(([^()]*)\)", text)
    return any(_JUDGING.search(name) or _ASKING.search(name) for name, given in heads if given.strip())


def _words(body: str) -> set[str]:
    """The words of the types of a struct's fields."""
    words: set[str] = set()
    for line in re.split(r"[\n;]", re.sub(r'"[^"]*"', "", body)):
        fields = re.match(r"[ \t]*\w+(?:[ \t]*,[ \t]*\w+)*[ \t]+(?=[\w\[*])", line)
        words |= _kind_words(line[fields.end() :] if fields else line)
    return words


def _words_of_methods(body: str) -> set[str]:
    """The words of the types of an interface's methods, and of the interfaces that it holds."""
    words: set[str] = set()
    for line in re.split(r"[\n;]", body):
        if head := re.fullmatch(r"[ \t]*(\w+)[ \t]*\((.*?)\)[ \t]*(.*?)[ \t]*", line):
            kinds = [*_kinds(head[2]), _results(head[3])]
            words |= {word for kind in kinds for word in _kind_words(kind)}
        else:
            words |= _kind_words(line)
    return words


def registered(types: dict[str, str], sentinels: dict[str, str], fields: dict[str, list[str]]) -> str:
    """What tells either program the types and errors that it has under the same name as the other.

    Args:
        types: name → declaration.
        sentinels: name → expression.
        fields: of the types that stay at the candidate's, those that the tests see.
    """
    plain = [name for name, text in types.items() if not re.match(r"type \w+\[", text)]
    lines = [f'wavecoderKinds["main.{name}"] = reflect.TypeOf((*{name})(nil)).Elem()' for name in plain]
    for name in [name for name, text in types.items() if is_opaque(text)]:
        listed = ", ".join(f'"{field}"' for field in fields.get(name, []))
        lines.append(f'wavecoderOpaque["{name}"] = []string{{{listed}}}')
    lines += [f'wavecoderErrors["{name}"] = {name}' for name in sentinels]
    wrappers = [_wrapper(name, types) for name, text in types.items() if " interface " in text]
    return "".join(wrappers) + (f"func init() {{ {'; '.join(lines)} }}\n" if lines else "")


def _wrapper(name: str, types: dict[str, str]) -> str:
    """A type for objects behind an interface that are of no type that both programs have."""
    made, asked = f"wavecoderOf{name}", sorted(_asked(name, types).items())
    methods = []
    for number, (method, (kinds, results)) in enumerate(asked):
        taken = ", ".join(f"a{n} {kind}" for n, kind in enumerate(kinds))
        given = ", ".join(f"a{n}{'...' if kind.startswith('...') else ''}" for n, kind in enumerate(kinds))
        function = f"func({', '.join(kinds)}) {results}"
        call = f"w.methods[{number}].Interface().({function})({given})"
        methods.append(f"func (w {made}) {method}({taken}) {results} {{ {'return ' if results else ''}{call} }}\n")
    kind = f"reflect.TypeOf((*{name})(nil)).Elem()"
    return (f"type {made} struct {{ methods []reflect.Value }}\n{''.join(methods)}"
            f'func init() {{ wavecoderWrappers["main.{name}"] = wavecoderWrapper{{{kind}, '
            f"func(f []reflect.Value) reflect.Value {{ return reflect.ValueOf({made}{{f}}) }}}} }}\n")  # fmt: skip


def _asked(name: str, types: dict[str, str]) -> dict[str, tuple[list[str], str]]:
    """The methods of an interface and of those that it holds: name → kinds of what they take, and their results."""
    body = re.search(r"interface \{(.*)\}", types[name], re.DOTALL)
    found: dict[str, tuple[list[str], str]] = {}
    for line in re.split(r"[\n;]", body[1] if body else ""):
        if head := re.fullmatch(r"[ \t]*(\w+)[ \t]*\((.*?)\)[ \t]*(.*?)[ \t]*", line):
            found[head[1]] = (_kinds(head[2]), _results(head[3]))
        elif line.strip() in types and line.strip() != name:
            found |= _asked(line.strip(), types)
        elif line.strip() == "error":
            found["Error"] = ([], "string")
    return found


def sentinels(source: str) -> dict[str, str]:
    """Name → expression of the errors that a candidate declares for its callers to recognise."""
    return {name: made for name, made in _SENTINEL.findall(source) if name not in PREDECLARED and "%w" not in made}


def constants(source: str, types: dict[str, str]) -> list[str]:
    """Declarations of constants of those types: literals, iota and what is computed of them."""
    kept = []
    for match in _CONSTANTS.finditer(source):
        body = match[1] or match[2]
        names = {name for line in re.split(r"[\n;]", body) for name in re.findall(r"^[ \t]*(\w+)", line)}
        words = set(re.findall(r"[A-Za-z_]\w*", re.sub(r'"(?:\\.|[^"\\\n])*"', "", body)))
        if words & set(types) and words <= names | set(types) | {"iota", "true", "false"} and not names & PREDECLARED:
            kept.append(match[0])
    return kept


def methods(source: str, tests: str, types: dict[str, str]) -> list[tuple[str, str, Function]]:
    """Receiver, name and function of the methods that tests call; the receiver is its first parameter."""
    found = []
    asked = {name for text in types.values() if " interface " in text for name in re.findall(r"(\w+)[ \t]*\(", text)}
    heads, own = _methods(source), own_kinds(source, types)
    sorts = {owner for _, owner, name, *_ in heads if name == "Swap"}
    for star, path, name, given, returns in heads:
        owner, _, arguments = path.partition("[")
        orders = name in {"Less", "Len", "Swap"} and path in sorts
        called = name in asked | _BY_LIBRARY or orders or re.search(rf"\.{name}\b", tests)
        kinds = _kinds(given)
        judges = _JUDGING.search(name) and not (orders and kinds == ["int", "int"])
        judges = judges or (_ASKING.search(name) and not _is_constructed(owner, tests))
        if owner not in types or not called or (kinds and judges):
            continue
        given_to_type = re.match(r"type \w+(\[.*?\]) ", types[owner])
        constraints = {each: given for each, given, _ in [*_structs(source), *_NAMED.findall(source)]}
        generics = go_generics.type_parameters(constraints[owner][1:-1], source, own) if given_to_type else ()
        if generics is None:
            continue
        named = [part.strip() for part in arguments.rstrip("]").split(",") if part.strip()]
        generics = tuple(replace(each, name=own) for each, own in zip(generics, named, strict=False))
        parameters = [(f"a{n + 1}", kind) for n, kind in enumerate(kinds)]
        made = Function(name, _results(returns), (("a0", f"{star}{path}"), *parameters), generics)
        found.append((f"{star}{path}", name, made))
    return found


def heads(source: str) -> list[tuple[str, str, str, str]]:
    """Name, type parameters, parameters and result of the functions, each as it is written."""
    found = []
    for match in re.finditer(r"^func\s+([A-Za-z_]\w*)\s*", source, re.MULTILINE):
        at, generics = match.end(), ""
        if source[at : at + 1] == "[":
            end = _closing(source, at)
            generics = source[at + 1 : end - 1]
            at = end + len(source[end:]) - len(source[end:].lstrip())
        given, result, body = _signature(source, at)
        if body.startswith("{") and not re.match(r"\{\s*\}", body):
            found.append((match[1], generics, given, result))
    return found


def _methods(source: str) -> list[tuple[str, str, str, str, str]]:
    """`*` or nothing, receiver's type, name, parameters and result of the methods, each as it is written."""
    made = [(match, *_signature(source, match.end())) for match in _METHOD.finditer(source)]
    return [(match[1], match[2], match[3], given, result) for match, given, result, body in made if body[:1] == "{"]


def _signature(source: str, at: int) -> tuple[str, str, str]:
    """The parameters between the brackets that open at `at`, the result, and what follows, from the body's brace on."""
    end = _closing(source, at) if source[at : at + 1] == "(" else at
    given = source[at + 1 : end - 1] if end > at else ""
    at = end + len(source[end:]) - len(source[end:].lstrip())
    if source[at : at + 1] == "(":
        end = _closing(source, at)
        return given, source[at:end].strip(), source[end:].lstrip()
    returns = re.match(r"(?:\b(?:interface|struct)\s*\{\}|[^{}\n])*", source[at:])
    return (given, returns[0].strip(), source[at + returns.end() :]) if returns else (given, "", "")


def _closing(text: str, start: int) -> int:
    """The place behind the bracket that closes the one at `start`."""
    depth = 0
    for at in range(start, len(text)):
        depth += (text[at] in "([{") - (text[at] in ")]}")
        if depth == 0:
            return at + 1
    return len(text)


def _results(returns: str) -> str:
    """A method's results without their names."""
    text = " ".join(returns.split())
    named = re.match(r"\((?!func\b|chan\b)\w+(?:, ?\w+)* [^ )]", text)
    return f"({', '.join(_kinds(text[1:-1]))})" if named else text


def _kinds(given: str) -> list[str]:
    kinds: list[str] = []
    for part in reversed([" ".join(each.split()) for each in split_at_commas(given) if each.strip()]):
        _, _, kind = part.partition(" ")
        kinds.append(kind or (kinds[-1] if kinds else part))
    return kinds[::-1]
