"""The texts of a C++ candidate's and its tests' program for what crosses beside plain data (`crossing.py`)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from eval.sandbox.cpp.crossing import Crossing, carried, returned
from eval.sandbox.cpp.declared import LITERAL, Field, Member, OwnType
from eval.sandbox.signatures import plain_words


def befriended(candidate: str, made: Crossing) -> str:
    """The candidate, whose classes let the wire see their fields."""
    friend = b" template <class, class> friend struct ::wavecoder::Wire; "
    text = candidate.encode("utf-8", "replace")
    places = {each.opens for each in made.types if each.head == "struct"}
    for at in sorted(places, reverse=True):
        text = text[:at] + friend + text[at:]
    return text.decode("utf-8", "replace")


def declarations(made: Crossing) -> str:
    """The candidate's types as the tests declare them, and how they cross."""
    lines = [_in(space, f"using {name} = {kind};") for space, name, kind in made.aliases]
    lines += [_in(each.space, _forward(each)) for each in made.types]
    lines += [_in(each.space, _declaration(each, made)) for each in made.types]
    return "\n".join([*lines, wires(made)])


def _forward(each: OwnType) -> str:
    if each.head != "struct":
        under = f" : {each.base}" if each.base and set(each.base.split()) <= plain_words("cpp") else ""
        return f"{each.head} {each.name}{under} {{ {', '.join(map(str, each.parts))} }};"
    if "<" in each.name:
        return f"template <{', '.join(['class'] * len(each.name.split(',')))}> struct {each.short};"  # may be repeated
    return f"struct {each.name};"


def _declaration(each: OwnType, made: Crossing) -> str:
    if each.head != "struct":
        return ""
    lines = ["template <class, class> friend struct ::wavecoder::Wire;"]
    lines += [part if isinstance(part, str) else _field(part) for part in each.parts if not isinstance(part, Member)]
    lines.append("public:")
    for owner, member in made.members:
        if owner is each:
            lines += [f"{_word(each, member, made)}{_head(each, member, size, made)};" for size in _sizes(member)]
    special = "template <> " if "<" in each.name else ""
    base = f" : public {each.base}" if each.base else ""
    return f"{special}struct {each.name}{base} {{ {' '.join(lines)} }};"


def _field(part: Field) -> str:
    if part.is_static:
        known = LITERAL.fullmatch(part.initial) and part.initial[0] not in '"{'
        return f"static constexpr {part.kind} {part.name} = {part.initial};" if known else ""
    value = "" if not part.initial else part.initial if part.initial.startswith("{") else f" = {part.initial}"
    return f"{part.kind} {part.name}{part.size}{value};"


def _sizes(member: Member) -> range:
    return range(member.least, len(member.kinds) + 1)


def _word(owner: OwnType, member: Member, made: Crossing) -> str:
    if member.name:
        return "static " if member.is_static else ""
    return "explicit " if member.is_explicit or owner.short not in made.named else ""


def _head(owner: OwnType | None, member: Member, size: int, made: Crossing, *, outside: bool = False) -> str:
    """A stub's head; `outside` of its class."""
    given = ", ".join(f"{kind} a{n}" for n, (kind, _) in enumerate(_wired(member, size, made)))
    scope = f"{owner.name}::" if owner and outside else ""
    if not member.name and owner is not None:
        return f"{scope}{owner.short}({given})"
    kind = f"{owner.name if owner else ''}&" if _is_self(owner, member) else _plain(member, made)
    tail = " const" if member.is_const and owner else ""
    return f"{kind} {scope}{member.name}({given}){tail}"


def _wired(member: Member, size: int, made: Crossing) -> list[tuple[str, str]]:
    """The types of the first parameters on the wire, and how the candidate's function gets each."""
    return [carried(kind, made) or ("", "") for kind in member.kinds[:size]]


def _is_self(owner: OwnType | None, member: Member) -> bool:
    """Whether a method gives its own object, so that calls can follow one another."""
    if owner is None or member.is_static:
        return False
    return re.fullmatch(rf"{owner.short}(?:<.*>)?\s*&", member.returns) is not None


def _plain(member: Member, made: Crossing) -> str:
    if member.name == "operator<<":
        return "std::ostream&"
    kind, behind = returned(member.returns, made) or ("void", "")
    return f"{kind.removeprefix('wavecoder::Pointer<')[:-1]}*" if behind else f"wavecoder::Plain<{kind}>"


def stub(number: int, owner: OwnType | None, member: Member, made: Crossing) -> str:
    """A function, a method or a constructor of the tests' program: it asks for the candidate's."""
    if member.name == "operator<<":
        kind = member.kinds[1]
        call = f"wavecoder::Call<{kind}>::template to<std::string>({number}, a)"
        return f"std::ostream& operator<<(std::ostream& o, {kind} a) {{ return o << {call}; }}"
    texts = []
    for size in _sizes(member):
        wired = [kind for kind, _ in _wired(member, size, made)]
        given = "".join(f", (std::forward<{kind}>(a{n}))" for n, kind in enumerate(wired))
        head = _head(owner, member, size, made, outside=True)
        lead = f"{number}, (unsigned char){size}"
        if not member.name and owner is not None:
            call = f"wavecoder::Call<{', '.join(['unsigned char', *wired])}>::template to<{owner.name}>({lead}{given})"
            texts.append(f"{head} : {owner.short}({call}) {{}}")
            continue
        if owner is not None and not member.is_static:
            wired.insert(0, f"{'const ' if member.is_const else ''}{owner.name}&")
            given = f", *this{given}"
        kind, behind = ("void", "") if _is_self(owner, member) else returned(member.returns, made) or ("void", "")
        call = f"wavecoder::Call<{', '.join(['unsigned char', *wired])}>::template to<{kind}>({lead}{given}){behind}"
        compared = _compared(owner, member)
        body = f"{call}; return *this" if _is_self(owner, member) else f"return {compared}{call}"
        texts.append(f"{head} {{ {body}; }}")
    return "\n".join(texts)


def _compared(owner: OwnType | None, member: Member) -> str:
    """What must hold beside the candidate's word when two objects are compared."""
    if member.name not in {"operator==", "operator!="} or not (member.kinds and (owner or len(member.kinds) == 2)):
        return ""
    sides = "*this, a0" if owner else "a0, a1"
    return f"{'!' if member.name == 'operator!=' else ''}wavecoder::same({sides}) && "


def case(number: int, owner: OwnType | None, member: Member, made: Crossing) -> str:
    """The candidate's side of it, as a function in the namespace of its types."""
    head = f"inline void wavecoder_case_{number}()"
    if member.name == "operator<<":
        kind = member.kinds[1]
        shown = f"[]({kind} a) -> std::string {{ std::ostringstream o; o << a; return o.str(); }}"
        return _in(member.space, f"{head} {{ wavecoder::answer<std::string, {kind}>({shown}); }}")
    lines = [f"if (size == {size}) return {_answer(owner, member, size, made)};" for size in _sizes(member)]
    read = "auto size = wavecoder::Wire<unsigned char>::get();"
    return _in(member.space, f"{head} {{ {read} {' '.join(lines)} ::_exit(wavecoder::GONE); }}")


def _answer(owner: OwnType | None, member: Member, size: int, made: Crossing) -> str:
    """A call of it with so many arguments."""
    kinds = [kind for kind, _ in _wired(member, size, made)]
    parameters = [f"{kind} a{n}" for n, kind in enumerate(kinds)]
    passed = [form.format(f"std::forward<{kind}>(a{n})") for n, (kind, form) in enumerate(_wired(member, size, made))]
    call = _call(owner, member, passed)
    if owner is not None and member.name and not member.is_static:
        kinds.insert(0, f"{'const ' if member.is_const else ''}{owner.name}&")
        parameters.insert(0, f"{kinds[0]} self")
    kind, behind = returned(member.returns, made) or ("void", "")
    if owner is not None and not member.name:
        kind = owner.name
    elif _is_self(owner, member):
        kind = "void"
    body = call if kind == "void" else f"return {kind}{{{call}}}" if behind else f"return {call}"
    return f"wavecoder::answer<{', '.join([kind, *kinds])}>([]({', '.join(parameters)}) -> {kind} {{ {body}; }})"


def _call(owner: OwnType | None, member: Member, passed: list[str]) -> str:
    given, sign = ", ".join(passed), member.name.removeprefix("operator")
    if owner is not None and not member.name:
        return f"{owner.name}({given})"
    if owner is not None:
        return f"{owner.name}::{member.name}({given})" if member.is_static else f"self.{member.name}({given})"
    if member.name.isidentifier():
        return f"{member.name}({given})"
    return f"{passed[0]} {sign} {passed[1]}" if len(passed) == 2 else f"{sign} {passed[0]}"


def wires(made: Crossing) -> str:
    """How the candidate's types cross, for either program."""
    lines, tag = [], 0
    for each in made.types:
        if each.head != "struct":
            lines.append(f"template <> struct wavecoder::Wire<{each.path}> : wavecoder::Enumerated<{each.path}> {{}};")
            continue
        tag += 1
        visits = [f"f(x.{part.name});" for part in each.fields()]
        if each.base:
            visits.insert(0, f"f(static_cast<{each.base}&>(x));")
        lines.append(f"template <> struct wavecoder::IsFields<{each.path}> : std::true_type {{}};")
        visit = f"template <class F> static void each({each.path}& x, F f) {{ (void)x; {' '.join(visits)} }}"
        lines.append(f"template <> struct wavecoder::Wire<{each.path}> : wavecoder::Fields<{each.path}> "
                     f"{{ enum : unsigned char {{ TAG = {tag} }}; {visit} }};")  # fmt: skip
    return "\n".join(lines)


def _in(space: str, text: str) -> str:
    return f"namespace {space} {{ {text} }}" if space and text else text


@dataclass(frozen=True)
class Ours:
    """The candidate's side."""

    text: str
    cases: list[str]


def parts(made: Crossing, first: int) -> tuple[str, Ours]:
    """The tests' declarations and stubs, and the candidate's functions and cases.

    Args:
        made: what crosses.
        first: the number of its first call.
    """
    stubs, texts, cases = [declarations(made)], [wires(made)], list[str]()
    for number, (owner, member) in enumerate(made.members, first):
        stubs.append(_in(member.space, stub(number, owner, member, made)))
        texts.append(case(number, owner, member, made))
        scope = f"{member.space}::" if member.space else ""
        cases.append(f"case {number}: {scope}wavecoder_case_{number}(); break;")
    for number, each in enumerate(made.constants, first + len(made.members)):
        stubs.append(f"const {each.kind} {each.name} = wavecoder::Call<>::to<{each.kind}>({number});")
        cases.append(
            f"case {number}: wavecoder::answer<{each.kind}>([]() -> {each.kind} {{ return {each.name}; }}); break;"
        )
    return "\n".join(stubs), Ours("\n".join(texts), cases)
