"""The texts of a C++ candidate's and its tests' program for what crosses beside plain data (`crossing.py`)."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from eval.sandbox.cpp import remote
from eval.sandbox.cpp.crossing import Crossing, reads_stream
from eval.sandbox.cpp.declared import LITERAL, Field, OwnType
from eval.sandbox.cpp.heads import Member
from eval.sandbox.cpp.streams import carried
from eval.sandbox.cpp.ways import Way, all_carried, referred, returned_by
from eval.sandbox.signatures import plain_words

_NOTHING = Way("void", "void", "{}", "{}")


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
    lines += [_in(each.space, _forward(each)) for each in made.types if "::" not in each.name]
    lines += [_in(each.space, _declaration(each, made)) for each in made.types]
    lines += [_in(space, f"using {name} = {kind};") for space, name, kind in made.late]
    return "\n".join([*lines, wires(made)])


def _forward(each: OwnType) -> str:
    if each.head not in {"struct", "remote"}:
        under = f" : {each.base}" if each.base and set(each.base.split()) <= plain_words("cpp") else ""
        return f"{each.head} {each.name}{under} {{ {', '.join(map(str, each.parts))} }};"
    if "<" in each.name:
        return f"template <{', '.join(each.heads)}> struct {each.short};"  # may be repeated
    return f"struct {each.name};"


def _declaration(each: OwnType, made: Crossing) -> str:
    if each.head not in {"struct", "remote"}:
        return ""
    within = [other for other in made.types if other.name == f"{each.name}::{other.short}"]
    inner = [_forward(replace(other, name=other.short)) for other in within]
    lines = ["template <class, class> friend struct ::wavecoder::Wire;", "public:", *inner]
    base = f" : public {each.base}" if each.base else ""
    if each.head == "remote":
        base, own = f" : {remote.roots(each)}", remote.public_fields(each, (), _seen(made))
        lines += remote.lifetime(each, has_fields=bool(_fields_of(each, made)))
        lines += [
            _field(part) for part in each.open_parts() if isinstance(part, Field) and (part.is_static or part in own)
        ]
    else:
        lines += [part if isinstance(part, str) else _field(part) for part in each.parts
                  if isinstance(part, Field) or (isinstance(part, str) and part.endswith(":"))]  # fmt: skip
    lines.append("public:")
    for owner, member in made.members:
        if owner is each:
            lines += [f"{_word(each, member, made)}{_head(each, member, size, made)};" for size in _sizes(member)]
    special = "template <> " if "<" in each.name else ""
    return f"{special}struct {each.name}{base} {{ {' '.join(lines)} }};"


def _seen(made: Crossing) -> set[str]:
    """Words of types that a field may have which the tests see."""
    return plain_words("cpp") | {name for _, name, _ in made.aliases} | {
        part for each in made.types if each.head != "remote" for part in each.words() | {each.short}}  # fmt: skip


def _fields_of(each: OwnType, made: Crossing) -> list[Field]:
    return remote.public_fields(each, [other for other in made.types if other.head == "remote"], _seen(made))


def _field(part: Field) -> str:
    if part.is_static:
        known = not part.is_shared and LITERAL.fullmatch(part.initial) and part.initial[0] not in '"{'
        return f"static constexpr {part.kind} {part.name} = {part.initial};" if known else ""
    value = "" if not part.initial else part.initial if part.initial.startswith("{") else f" = {part.initial}"
    return f"{part.kind} {part.name}{part.size}{value};"


def _sizes(member: Member) -> range:
    return range(member.least, len(member.kinds) + 1)


def _word(owner: OwnType, member: Member, made: Crossing) -> str:
    if member.name and not member.name.startswith("operator "):
        return "static " if member.is_static else ""
    if member.name:
        return "explicit " if member.is_explicit else ""
    return "explicit " if member.is_explicit or owner.short not in made.named else ""


def _head(owner: OwnType | None, member: Member, size: int, made: Crossing, *, outside: bool = False) -> str:
    """A stub's head; `outside` of its class."""
    given = ", ".join(f"{way.shown} a{n}" for n, way in enumerate(_wired(member, size, made)))
    scope = f"{owner.name}::" if owner and outside else ""
    if not member.name and owner is not None:
        return f"{scope}{owner.short}({given})"
    kind = f"{owner.name if owner else ''}&" if _is_self(owner, member) else _plain(member, made)
    tail = " const" if member.is_const and owner else ""
    if _gives_items(owner, member):
        kind = f"std::{member.returns}::const_iterator"
    if member.name.startswith("operator "):
        kind = ""
    return f"{kind} {scope}{member.name}({given}){tail}"


def _gives_items(owner: OwnType | None, member: Member) -> bool:
    return owner is not None and member.name in {"begin", "end"}


def _wired(member: Member, size: int, made: Crossing) -> list[Way]:
    """How the first parameters cross."""
    return all_carried(member.kinds[:size], made) or []


def _is_self(owner: OwnType | None, member: Member) -> bool:
    """Whether a method gives its own object, so that calls can follow one another."""
    if owner is None or member.is_static or owner.head == "remote":
        return False
    return re.fullmatch(rf"{owner.short}(?:<.*>)?\s*&", member.returns) is not None


def _plain(member: Member, made: Crossing) -> str:
    if member.name == "operator<<":
        return "std::ostream&"
    if reads_stream(member):
        return "std::istream&"
    return (returned_by(member.returns, member.kinds, made) or _NOTHING).shown


def stub(number: int, owner: OwnType | None, member: Member, made: Crossing) -> str:
    """A function, a method or a constructor of the tests' program: it asks for the candidate's."""
    if member.name == "operator<<":
        kind = member.kinds[1]
        call = f"wavecoder::Call<{kind}>::template to<std::string>({number}, a)"
        return f"std::ostream& operator<<(std::ostream& o, {kind} a) {{ return o << {call}; }}"
    texts = []
    for size in _sizes(member):
        ways = _wired(member, size, made)
        wired = [way.wire for way in ways]
        given = "".join(f", ({way.sent.format(f'a{n}')})" for n, way in enumerate(ways))
        head = _head(owner, member, size, made, outside=True)
        lead = f"{number}, (unsigned char){size}"
        if not member.name and owner is not None:
            texts.append(f"{head}{_constructed(owner, wired, f'{lead}{given}', made)}")
            continue
        if owner is not None and not member.is_static:
            wired.insert(0, _self(owner, member))
            given = f", {_itself(owner)}{given}"
        way = _NOTHING if _is_self(owner, member) or reads_stream(member) else _result(member, made)
        call = f"wavecoder::Call<{', '.join(['unsigned char', *wired])}>::template to<{way.wire}>({lead}{given})"
        if way.shown.startswith("wavecoder::Ref<"):
            texts.append(f"{head} {{ return {{{call}, {_assigning(number, owner, member, size, made)}}}; }}")
            continue
        if _gives_items(owner, member):
            texts.append(f"{head} {{ return wavecoder::items(this, {call}).{member.name}(); }}")
            continue
        if reads_stream(member):
            texts.append(f"{head} {{ {call}; return a0; }}")
            continue
        compared = _compared(owner, member, made)
        body = f"{call}; return *this" if _is_self(owner, member) else f"return {compared}{way.got.format(call)}"
        if way.wire.startswith("wavecoder::Made<") and any(
            _fields_of(each, made) for each in made.types if each.path == way.shown
        ):
            body = f"{way.shown} made({call}.number); wavecoder::refresh(); return made"
        texts.append(f"{head} {{ {body}; }}")
    return "\n".join(texts)


def _result(member: Member, made: Crossing) -> Way:
    return returned_by(member.returns, member.kinds, made) or _NOTHING


def _assigning(number: int, owner: OwnType | None, member: Member, size: int, made: Crossing) -> str:
    """What assigns to the reference that a function returned: it is called again."""
    ways, data = _wired(member, size, made), referred(member.returns, made)
    held = ", ".join(f"&a{n}" if way.shown.endswith("&") else f"a{n}" for n, way in enumerate(ways))
    wired = ["unsigned char", *(way.wire for way in ways), f"const {data}&"]
    given = "".join(f", ({way.sent.format(f'a{n}')})" for n, way in enumerate(ways))
    if owner is not None and not member.is_static:
        held, given = f"this{held and ', '}{held}", f", {_itself(owner)}{given}"
        wired.insert(1, _self(owner, member))
    call = f"wavecoder::Call<{', '.join(wired)}>::template to<void>({number}, (unsigned char){size + 128}{given}, x)"
    return f"[{held}](const {data}& x) mutable {{ {call}; }}"


def _itself(owner: OwnType) -> str:
    return f"wavecoder::Remote<{owner.name}>(*this)" if owner.head == "remote" else "*this"


def _self(owner: OwnType, member: Member) -> str:
    """The type on the wire of the object that a method belongs to."""
    if owner.head == "remote":
        return f"wavecoder::Remote<{owner.name}>"
    return f"{'const ' if member.is_const else ''}{owner.name}&"


def _constructed(owner: OwnType, wired: list[str], given: str, made: Crossing) -> str:
    """What follows the head of a constructor of the tests' program."""
    call = f"wavecoder::Call<{', '.join(['unsigned char', *wired])}>::template to"
    if owner.head != "remote":
        return f" : {owner.short}({call}<{owner.name}>({given})) {{}}"
    fresh = "wavecoder::refresh();" if _fields_of(owner, made) else ""
    return f"{remote.initial(owner, f'{call}<wavecoder::Made<{owner.name}>>({given}).number')} {{ {fresh} }}"


def _compared(owner: OwnType | None, member: Member, made: Crossing) -> str:
    """What must hold beside the candidate's word when two objects are compared."""
    if member.name not in {"operator==", "operator!="} or not (member.kinds and (owner or len(member.kinds) == 2)):
        return ""
    if owner.head == "remote" if owner else any(word in made.far for word in re.findall(r"\w+", member.kinds[0])):
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
    if (
        member.name
        and not _is_self(owner, member)
        and (returned_by(member.returns, member.kinds, made) or _NOTHING).shown.startswith("wavecoder::Ref<")
    ):
        lines += [
            f"if (size == {size + 128}) return {_answer(owner, member, size, made, assigns=True)};"
            for size in _sizes(member)
        ]
    read = "auto size = wavecoder::Wire<unsigned char>::get();"
    return _in(member.space, f"{head} {{ {read} {' '.join(lines)} ::_exit(wavecoder::GONE); }}")


def _answer(owner: OwnType | None, member: Member, size: int, made: Crossing, *, assigns: bool = False) -> str:
    """A call of it with so many arguments."""
    ways = _wired(member, size, made)
    kinds = [way.wire for way in ways]
    parameters = [f"{kind} a{n}" for n, kind in enumerate(kinds)]
    passed = [way.got.format(f"std::forward<{way.wire}>(a{n})") for n, way in enumerate(ways)]
    if owner is not None and not member.name and owner.head == "remote":
        made_one = f"wavecoder::Made<{owner.name}>"
        body = f"return {made_one}{{wavecoder::make<{owner.name}>({', '.join(passed)})}}"
        function = f"[]({', '.join(parameters)}) -> {made_one} {{ {body}; }}"
        return f"wavecoder::answer<{', '.join([made_one, *kinds])}>({function})"
    call = _call(owner, member, passed)
    if owner is not None and member.name and not member.is_static:
        kinds.insert(0, _self(owner, member))
        parameters.insert(0, f"{kinds[0]} self")
    way = returned_by(member.returns, member.kinds, made) or _NOTHING
    if _gives_items(owner, member):
        call = f"wavecoder::items_of<{member.returns}>({call.rpartition('.')[0]})"
    if assigns:
        data = referred(member.returns, made)
        kinds, parameters = [*kinds, f"const {data}&"], [*parameters, f"const {data}& x"]
        call, way = f"{call} = x", _NOTHING
    if owner is not None and not member.name:
        way = Way("", owner.name, "{}", "")
    elif _is_self(owner, member) or reads_stream(member):
        way = _NOTHING
    body = call if way.wire == "void" else f"return {way.sent.format(call)}"
    taken = ", ".join([way.wire, *map(carried, kinds)])
    return f"wavecoder::answer<{taken}>([]({', '.join(parameters)}) -> {way.wire} {{ {body}; }})"


def _call(owner: OwnType | None, member: Member, passed: list[str]) -> str:
    given, sign = ", ".join(passed), member.name.removeprefix("operator")
    if owner is not None and not member.name:
        return f"{owner.name}({given})"
    if owner is not None:
        if member.is_static:
            return f"{owner.name}::{member.name}({given})"
        own = f"{'const ' if member.is_const else ''}{owner.name}"
        itself = f"static_cast<{own}&>(*self.at)" if owner.head == "remote" else "self"
        if member.name.startswith("operator "):
            return f"static_cast<{member.returns}>({itself})"
        return f"{itself}.{member.name}({given})"
    if member.name.isidentifier():
        return f"{member.name}({given})"
    return f"{passed[0]} {sign} {passed[1]}" if len(passed) == 2 else f"{sign} {passed[0]}"


def wires(made: Crossing) -> str:
    """How the candidate's types cross, for either program."""
    lines, tag = [], 0
    for each in made.types:
        path = f"::{each.path}"
        if each.head == "remote":
            lines += _remote_wires(each, made)
        elif each.head != "struct":
            lines.append(f"template <> struct wavecoder::Wire<{path}> : wavecoder::Enumerated<{path}> {{}};")
        else:
            tag += 1
            visits = [f"f(x.{part.name});" for part in each.fields()]
            visits[:0] = [f"f(static_cast<{base}&>(x));" for base in each.bases()]
            lines.append(f"template <> struct wavecoder::IsFields<{path}> : std::true_type {{}};")
            visit = f"template <class F> static void each({path}& x, F f) {{ (void)x; {' '.join(visits)} }}"
            lines.append(f"template <> struct wavecoder::Wire<{path}> : wavecoder::Fields<{path}> "
                         f"{{ enum : unsigned char {{ TAG = {tag} }}; {visit} }};")  # fmt: skip
    return "\n".join([*lines, *_registered(made)])


def _remote_wires(each: OwnType, made: Crossing) -> list[str]:
    seen, path = _fields_of(each, made), f"::{each.path}"
    visits = " ".join(f"f(x.{part.name});" for part in seen)
    visit = f"template <class F> static void each({path}& x, F f) {{ (void)x; {visits} }}"
    inside = f"{{ enum {{ FIELDS = {int(bool(seen))} }}; {visit} }};"
    value = f"wavecoder::RemoteValue<{path}>"
    lines = [f"template <> struct wavecoder::IsRemote<{path}> : std::true_type {{}};",
             f"template <> struct wavecoder::Wire<{path}> : {value} {inside}"]  # fmt: skip
    for pointer, way in (("unique_ptr", "RemoteUnique"), ("shared_ptr", "RemoteShared")):
        held = f"std::{pointer}<{path}>"
        lines.append(f"template <> struct wavecoder::Wire<{held}> : wavecoder::{way}<{path}> {{}};")
    return lines


def needs_remote(made: Crossing) -> bool:
    """Whether `remote.hpp` is needed."""
    return bool(made.far or made.thrown & {each.short for each in made.types})


def _registered(made: Crossing) -> list[str]:
    """The list of types that `remote.hpp` asks for, and what it does around each message."""
    if not needs_remote(made):
        return []
    far = [each.path for each in made.types if each.head == "remote"]
    thrown = [each.path for each in made.types if each.head != "remote" and each.short in made.thrown]
    tags = [f"template <> struct Tag<::{path}> {{ enum : unsigned char {{ value = {n} }}; }};"
            for names in (far, thrown) for n, path in enumerate(names, 1)]  # fmt: skip
    lists = " ".join(f"using {name} = Types<{', '.join('::' + path for path in names)}>;"
                     for name, names in (("list", far), ("thrown", thrown)))  # fmt: skip
    known = f"template <> struct All<void> {{ {lists} }}; static const Registered<> registered;"
    return [f"namespace wavecoder {{ {' '.join(tags)} {known} }}"]


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
    last = first + len(made.members) + len(made.constants)
    if needs_remote(made):
        stubs.insert(0, f"inline unsigned char wavecoder::objects_call() {{ return {last}; }}")
        cases.append(f"case {last}: wavecoder::serve_objects(); break;")
    for number, each in enumerate(made.constants, first + len(made.members)):
        stubs.append(f"const {each.kind} {each.name} = wavecoder::Call<>::to<{each.kind}>({number});")
        cases.append(
            f"case {number}: wavecoder::answer<{each.kind}>([]() -> {each.kind} {{ return {each.name}; }}); break;"
        )
    return "\n".join(stubs), Ours("\n".join(texts), cases)
