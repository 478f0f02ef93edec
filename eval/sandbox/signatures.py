"""The functions that a candidate declares, read from its text, in languages whose types are written down.

Only types of plain data are known (`_TYPES`): a function with any other cannot be called from the tests, and
its tests do not compile. So a type of the candidate's own, with an equality of its own, never meets an assertion.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import replace

from eval.sandbox import go_generics, go_types
from eval.sandbox.cpp import streams
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.plain_text import fits, without_comments
from eval.sandbox.rust.closures import closure
from eval.sandbox.rust.signatures import rust_functions, unknown_bounds, without_blocks

_TYPES = {
    "cpp": "int long short char bool float double unsigned signed void size_t string vector map unordered_map set "
    "unordered_set pair tuple list deque optional array std boost any list_any const int32_t int64_t uint32_t uint64_t "
    "__cxx11 basic_string allocator char_traits less greater hash equal_to multiset multimap unordered_multiset "
    "unordered_multimap stack queue priority_queue bitset complex variant monostate shared_ptr unique_ptr string_view "
    "default_delete basic_string_view function int8_t int16_t uint8_t uint16_t wchar_t char16_t char32_t wstring "
    "ptrdiff_t ssize_t less_equal greater_equal",
    "rust": "i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64 bool char str String Vec Option Result "
    "HashMap HashSet BTreeMap BTreeSet VecDeque Ordering cmp Box dyn Any Error error mut std collections static "
    "Cow borrow BinaryHeap ParseIntError ParseFloatError num Range RangeInclusive ops "
    "RtnType impl Iterator Item DoubleEndedIterator ExactSizeIterator iter "
    "Rc RefCell Cell Arc Mutex RwLock rc cell sync result option string vec",
    "go": "int int8 int16 int32 int64 uint uint8 uint16 uint32 uint64 float32 float64 bool string byte rune map "
    "interface any error complex64 complex128 "
    "time Time Duration big Int Rat io Reader Writer sort fmt Stringer Interface strings Builder bytes Buffer "
    "context Context CancelFunc",
}
_PATTERNS = {
    "cpp": r"^[ \t]*(?:(?:static|inline|constexpr|extern)\s+)*"
    r"(const\s+char\s*\*\s*|(?:const\s+)?[A-Za-z_][\w:]*(?:\s*<(?:[^;{}()]|\([^;{}()]*\))*>)?(?:\s+(?:int|long|char|double))*[\s&]+)"
    r"([A-Za-z_]\w*)\s*\(((?:[^(){};]|\([^(){};]*\))*)\)\s*(?:noexcept\s*)?\{",
}
"""Name, parameters, result, each in the order of its language."""


def functions_of(source: str, language: str, own: frozenset[str] = frozenset()) -> list[Function]:
    """The functions of a candidate that can be called from outside and whose types its text gives away.

    Args:
        source: of the candidate.
        language: of it.
        own: names of its types that are data.
    """
    found: dict[str, Function] = {}
    doubtful: set[str] = set()  # overloads, default arguments: the compiler knows (`eval/sandbox/cpp/probes.py`)
    text = without_comments(source, language)
    text = plain_go(text) if language == "go" else text
    if language == "rust":
        hidden = (
            set(re.findall(r"\b(?:struct|enum|union|trait)\s+(\w+)", text)) - own
        )  # whatever a plain type is called
        functions = [f for f in rust_functions(without_blocks(without_aliases(text))) if not hidden & _words_of(f)]
        functions = [f for f in functions if all(kind for _, kind in f.parameters)]  # `self` has no type: a method
        return list({f.name: f for f in reversed(functions) if is_plain(f, language, own)}.values())[::-1]
    found_heads = re.findall(_PATTERNS[language], text, re.MULTILINE) if language == "cpp" else go_types.heads(text)
    for groups in found_heads:
        if language == "cpp":
            returns, name, parameters = groups[:3]
            function = Function(name, " ".join(returns.split()), _parameters(parameters, language))
        elif (made := _go_function(groups, text)) is not None:
            name, function = made.name, made
        else:
            continue
        if language == "cpp" and (name in found or "=" in parameters):
            doubtful.add(name)
        known = own | streams.WORDS if language == "cpp" and streams.crosses(function) else own
        if is_plain(function, language, known):
            found.setdefault(name, function)
    return [function for name, function in found.items() if name not in doubtful]


def _words_of(f: Function) -> set[str]:
    return {word for kind in (f.returns, *(kind for _, kind in f.parameters)) for word in re.findall(r"\w+", kind)}


def _go_function(groups: tuple[str, ...], source: str) -> Function | None:
    """A function of Go; None if it has type parameters of which no plain type is known."""
    name, generics, parameters, returns = groups
    made = Function(name, " ".join(_without_names(returns).split()), _parameters(parameters, "go"))
    known = go_generics.type_parameters(generics, source, go_types.own_kinds(source, go_types.data_types(source)))
    if known is None:
        return None
    made = replace(made, generics=known)
    kinds = tuple((each, go_generics.without_slices(kind, made)) for each, kind in made.parameters)
    return replace(made, returns=go_generics.without_slices(made.returns, made), parameters=kinds)


def plain_go(source: str) -> str:
    """Go's text with function values written as functions, and other names of plain types replaced by the types."""
    text = re.sub(r"^var\s+(\w+)\s*=\s*func\s*\(", r"func \1(", source, flags=re.MULTILINE)
    for name, kind in re.findall(r"^type[ \t]+(\w+)[ \t]*=[ \t]*([^\n{};]+?)[ \t]*$", source, re.MULTILINE):
        if fits(text, name, kind, source):
            text = re.sub(rf"(?<![\w.]){name}\b(?![ \t]*=)", lambda _, kind=kind: kind, text)  # type: ignore[misc]
    return text


def _without_names(returns: str) -> str:
    """Go's results, without their names: `(sum int, err error)` is `(int, error)`."""
    inner = re.fullmatch(r"\s*\((.*)\)\s*", returns, re.DOTALL)
    parts = [part.strip() for part in split_at_commas(inner[1]) if part.strip()] if inner else []
    if parts and not any(re.match(r"(?!func\b|chan\b)\w+\s+\S", part) for part in parts):
        return f"({', '.join(parts)})"
    if not parts:
        return returns
    kinds = [kind for _, kind in _parameters(", ".join(parts), "go")]
    return kinds[0] if len(kinds) == 1 else f"({', '.join(kinds)})"


def _parameters(text: str, language: str) -> tuple[tuple[str, str], ...]:
    parts = [" ".join(part.split()) for part in split_at_commas(text) if part.strip()]
    pairs: list[tuple[str, str]] = []
    for part in reversed(parts):
        if language == "rust":
            name, _, kind = part.partition(":")
            pairs.append((name.replace("mut ", "").strip(), kind.strip()))
        elif language == "go":
            name, _, kind = part.partition(" ")
            pairs.append((name, kind.strip() or (pairs[-1][1] if pairs else "")))  # a, b int
        else:
            match = re.fullmatch(r"(?:final )?(.*?[\s>&\]*])(\w+)((?:\[\])*)(?: ?= ?[\w.\"']+)?", part)
            pairs.append((match[2], match[1].strip() + match[3]) if match else (part, "unknown_type"))
    return tuple(reversed(pairs))


def without_aliases(source: str) -> str:
    """Rust with other names of plain types, and of what is imported, replaced by their own."""
    for used in re.findall(r"^[ \t]*use\b[^;]*;", source, re.MULTILINE):
        for name, other in re.findall(r"\b(\w+)\s+as\s+([A-Za-z]\w*)", used):
            source = re.sub(rf"\b{other}\b", name, source)
    alias = (
        r"^[ \t]*(?:pub(?:\([^)]*\))?[ \t]+)?type[ \t]+(\w+)[ \t]*(?:<((?:[^<>;]|<[^<>;]*>)*)>)?[ \t]*=[ \t]*([^;]+);"
    )
    text = source
    for name, parameters, kind in re.findall(alias, source, re.MULTILINE):
        if fits(text, name, kind, source):
            text = _unaliased(text, name, split_at_commas(parameters) if parameters else [], kind)
    return text


def _unaliased(source: str, name: str, parameters: list[str], kind: str) -> str:
    """Rust with a type in place of its alias, whose parameters are those that it is given where it stands."""

    def replaced(match: re.Match[str]) -> str:
        given = split_at_commas(match[1])
        defaults = [each.partition("=")[2] for each in parameters]
        whole = [one or other for one, other in itertools.zip_longest(given, defaults, fillvalue="")]
        known = dict(zip([re.split("[:=]", each)[0].strip() for each in parameters], whole, strict=False))
        return re.sub(r"'?\w+", lambda word: known.get(word[0], word[0]), kind)

    if not parameters:
        return re.sub(rf"\b{name}\b(?![ \t]*=)", lambda _: kind, source)
    inner = r"(?:[^<>;{}]|->|<(?:[^<>;{}]|->|<(?:[^<>;{}]|->|<[^<>;{}]*>)*>)*>)*"
    return re.sub(rf"(?<!::)\b{name}\s*<({inner})>(?![ \t]*=)", replaced, source)


def plain_words(language: str) -> set[str]:
    """The words that types of plain data are made of."""
    return set(_TYPES[language].split())


def is_plain(function: Function, language: str, own: frozenset[str] = frozenset()) -> bool:
    """Whether all its types are known to be plain data."""
    known = set(_TYPES[language].split()) | own | {each.name for each in function.generics}
    kinds = [function.returns, *(kind for _, kind in function.parameters)]
    if language == "cpp":
        kinds = [re.sub(r"\bconst char ?\*|\bchar const ?\*", "const char", kind) for kind in kinds]
    if language == "rust":
        if unknown_bounds(function):
            return False
        bounds = [each.bounds if each.is_function else each.item or "" for each in function.generics]
        kinds = [_without_boxed(kind) for kind in kinds]
        functions = {kind: [*made.given, made.returns] for kind in [*kinds, *bounds] if (made := closure(kind))}
        kinds = [re.sub(r"'\w+", "", part) for kind in [*kinds, *bounds] for part in functions.get(kind, [kind])]
    if language == "go":
        kinds = [re.sub(r"\*|<-|\b(?:struct|func|chan)\b\s*(?:\{\})?", "", kind) for kind in kinds]
    if not all(re.fullmatch(r"(?:[\w\s:<>,&\[\]'.();=+]|interface ?\{\})*", kind) for kind in kinds):
        return False
    return all(set(re.findall(r"[A-Za-z_]\w*", kind)) <= known for kind in kinds) and all(
        re.fullmatch(r"\w+", name) for name, _ in function.parameters
    )


def _without_boxed(kind: str) -> str:
    """A Rust type in which boxed functions, but for one that is all of it, are lists of their types."""
    boxed = r"Box<dyn Fn\(([\w<>, ]*)\)(?: ?(?:->|→) ?([\w<>]+))?>"
    return kind if re.fullmatch(rf"&?\s*{boxed}", kind) else re.sub(boxed, r"Box<(\1,\2)>", kind)
