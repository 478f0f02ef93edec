"""A test that is data, as a statement of the tests' program of a language.

A call's arguments that it may change have names, and what they hold afterwards is compared: with `after` where the test
has it, so that it is right or wrong; else with what was given, which `kept` notes (`agreement.MOVED`). What is expected
of a function that returns nothing is what its first argument holds after the call.

Not covered: changes in values of the candidate's own types, and in what C++ and Rust are given by value.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from eval.sandbox.calls.bound_types import with_types
from eval.sandbox.calls.own_types import OwnType, own_literal
from eval.sandbox.calls.script_literals import ScriptTypes
from eval.sandbox.functions import Function, split_at_commas
from eval.sandbox.literals import NoRoom, Unwritable, literal, plain_script

Row = dict[str, Any]

UNTYPED = {"javascript", "typescript"}
"""Languages whose results need no type."""
NOTHING = {"", "()", "void"}
"""What a function returns that returns nothing."""
_CHANGEABLE = {"cpp": r"(?!.*\bconst\b).*[^&]&$", "go": r"\[\]|map\[|\*", "java": r"(?!Optional\b).*(?:\]|>)$",
               "rust": r"&\s*(?:'\w+\s+)?mut\b"}  # fmt: skip
"""Types of parameters through which a function can change what it is given."""


class NeverSo(Exception):  # noqa: N818 - what it says of a test
    """The function's result has no room for what is expected: no answer of it is right."""


@dataclass(frozen=True)
class Called:
    """A function and what its values are written with."""

    function: Function
    language: str
    parameters: tuple[str, ...] = ()
    """Names of its type parameters."""
    script: ScriptTypes | None = None
    own: dict[str, OwnType] | None = None
    """The candidate's types."""
    defaults: int = 0
    """Of C++: how many of the last parameters may be left out."""
    takes_more: bool = False
    """Of Go and Java: the last parameter is any number of arguments."""

    def write(self, value: Any, kind: str) -> str:
        """A value as an expression."""
        return literal(value, kind, self.language, self.write_own if self.own else None)

    def write_result(self, value: Any, kind: str) -> str:
        """What is expected as an expression.

        Raises:
            NeverSo: the type has no room for it.
        """
        try:
            return self.write(value, kind)
        except NoRoom:
            raise NeverSo from None

    def write_own(self, value: Any, kind: str) -> str | None:
        """A value of the candidate's types as an expression."""
        found = (self.own or {}).get(re.split(r"\.|::", kind)[-1])
        return own_literal(value, found, self.language, self.write) if found else None


@dataclass(frozen=True)
class _Call:
    """A call of a typed language's function, written."""

    name: str
    returns: str
    kinds: tuple[str, ...]
    """Of its parameters."""
    arguments: tuple[str, ...]
    """Each as an expression."""
    expected: Any
    named: dict[int, str]
    """Numbers of the arguments that are looked at afterwards → what each is to hold, as an expression."""
    is_told: bool
    """Whether the test says so: else they are to stay as they are."""

    def given(self, form: str = "a{}") -> str:
        """What stands between the parentheses."""
        texts = (form.format(n) if n in self.named else one for n, one in enumerate(self.arguments))
        return ", ".join(texts)

    def end(self, look: str, kept: str = "kept({});") -> str:
        """What follows `right`, given how an argument is looked at: of its number, its type, and what it is to hold."""
        looks = [look.format(n=n, kind=self.kinds[n], told=told) for n, told in self.named.items()]
        if not looks:
            return "return right;"
        if self.is_told:
            return f"return right && {' && '.join(looks)};"
        return f"{kept.format(' && '.join(looks))} return right;"


def line_of(place: int, test: Row, called: Called) -> str:
    """A test as a statement.

    Args:
        place: of the test, which the program tells.
        test: `arguments`, `expected` and maybe `after`.
        called: the function.

    Raises:
        Unwritable: its values are not those of the types.
        NeverSo: no answer of the function is right.
    """
    if "arguments" not in test:
        raise Unwritable("an assertion")
    if "after" in test and len(test["after"]) != len(test["arguments"]):
        raise Unwritable("another number of arguments")
    if called.language in UNTYPED:
        return _script_line(place, test, called)
    if "expected" not in test:
        raise Unwritable("nothing to compare with")
    return _LINES[called.language](place, _call_of(test, called), called)


def _call_of(test: Row, called: Called) -> _Call:
    given, expected, parameters = test["arguments"], test["expected"], called.function.parameters
    if called.takes_more:
        given = _gathered(given, len(parameters))
    if not len(parameters) - called.defaults <= len(given) <= len(parameters):
        raise Unwritable("another number of arguments")
    values = [(one, kind) for one, (_, kind) in zip(given, parameters, strict=False)]
    function = with_types(
        called.function, called.parameters, [*values, (expected, called.function.returns)], called.language
    )
    kinds = tuple(re.sub(r"^\.\.\.", "[]", kind) for _, kind in function.parameters)[: len(given)]
    texts = tuple(called.write(one, kind) for one, kind in zip(given, kinds, strict=True))
    changeable = [n for n, kind in enumerate(kinds) if _is_changeable(kind, called)]
    after = test.get("after")
    if after is not None and called.takes_more:
        after = _gathered(after, len(parameters))
    if function.returns in NOTHING and after is None:
        changeable, after = [0], [expected, *given[1:]]
    if after is not None and any(after[n] != given[n] for n in range(len(given)) if n not in changeable):
        raise NeverSo
    wanted = given if after is None else after
    named = {n: called.write_result(wanted[n], _held(kinds[n])) for n in changeable}
    return _Call(function.name, function.returns, kinds, texts, expected, named, after is not None)


def _gathered(given: list[Any], most: int) -> list[Any]:
    """Arguments of a function of Go's or Java's that takes any number, with the last ones as a list."""
    if len(given) == most and isinstance(given[-1], list):
        return given
    return [*given[: most - 1], given[most - 1 :]] if len(given) >= most - 1 else given


def _is_changeable(kind: str, called: Called) -> bool:
    """Whether a function can change what it is given for a parameter of a type, and the tests see it."""
    own = called.language == "java" and not set(re.findall(r"\w+", kind)).isdisjoint(called.own or {})
    return not own and re.match(_CHANGEABLE[called.language], kind) is not None


def _held(kind: str) -> str:
    """The type of what a reference of Rust's refers to."""
    return re.sub(r"^&\s*(?:'\w+\s+)?mut\s+", "", kind)


def _cpp_line(place: int, call: _Call, called: Called) -> str:
    named = "".join(f"Bare<{call.kinds[n]}> a{n} = {value}; " for n, value in enumerate(call.arguments))
    made = f"{call.name}({', '.join(f'a{n}' for n in range(len(call.arguments)))})"
    if call.returns in NOTHING:
        right = f"{made}; bool right = true;"
    else:
        told = called.write_result(call.expected, call.returns)
        right = f"bool right = Same<Bare<{call.returns}>>::of({made}, {told});"
    return f"run({place}, [&]() -> bool {{ {named}{right} {call.end('Same<Bare<{kind}>>::of(a{n}, {told})')} }});"


def _java_line(place: int, call: _Call, called: Called) -> str:
    named = "".join(f"{call.kinds[n]} a{n} = {call.arguments[n]}; " for n in call.named)
    made = f"new Solution().{call.name}({call.given()})"
    if call.returns in NOTHING:
        right = f"{made}; boolean right = true;"
    else:
        right = f"boolean right = same({made}, {called.write_result(call.expected, call.returns)});"
    return f"run({place}, () -> {{ {named}{right} {call.end('same(a{n}, {told})')} }});"


def _rust_line(place: int, call: _Call, called: Called) -> str:
    named = "".join(f"let mut a{n} = {call.arguments[n].removeprefix('&mut ')}; " for n in call.named)
    made, kind = f"{call.name}({call.given('&mut a{}')})", re.sub(r"&\s*'\w+\s*", "&", call.returns)
    end = call.end("{{ let z = {told}; a{n}.same(&z) }}")
    if kind in NOTHING:
        return f"run({place}, || {{ {named}{made}; let right = true; {end} }});"
    steps = re.fullmatch(r"(?:impl|Box\s*<\s*dyn)\b.*?\bIterator\s*<\s*Item\s*=\s*(.+?)>\s*(?:\+\s*'\w+\s*)*>?", kind)
    if steps is not None:
        kind, made = f"Vec<{steps[1].strip()}>", f"{made}.collect::<Vec<_>>()"
    right = "x.same(&y)"
    if kind.startswith("Result<"):  # whose error may have a name that the tests do not know
        kind = split_at_commas(kind[len("Result<") : kind.rindex(">")])[0].strip()
        right = "matches!(x, Ok(ref z) if z.same(&y))"
    told = called.write_result(call.expected, kind)
    return f"run({place}, || {{ {named}let x = {made}; let y: {kind} = {told}; let right = {right}; {end} }});"


def _go_line(place: int, call: _Call, called: Called) -> str:
    """A test of a function of no result, one or several; an error behind them has to be none."""
    named = "".join(f"var a{n} {call.kinds[n]} = {call.arguments[n]}; " for n in call.named)
    made = f"{call.name}({call.given()}{'...' if called.takes_more else ''})"
    end = call.end("wcSame(reflect.ValueOf(a{n}), reflect.ValueOf({told}))", kept="wcKept({});")
    if call.returns in NOTHING:
        return f"wcRun({place}, func() bool {{ {named}{made}; right := true; {end} }})"
    inner = re.fullmatch(r"\((.*)\)", call.returns)
    kinds = [part.strip() for part in split_at_commas(inner[1])] if inner else [call.returns]
    failing = kinds[-1] == "error" and len(kinds) > 1
    kinds = kinds[: len(kinds) - failing]
    values = [call.expected] if len(kinds) == 1 else call.expected
    if not isinstance(values, list) or len(values) != len(kinds):
        raise Unwritable("another number of results")
    names = [f"r{n}" for n in range(len(kinds))]
    same = " && ".join(f"wcSame(reflect.ValueOf({name}), reflect.ValueOf({called.write_result(value, kind)}))"
                       for name, value, kind in zip(names, values, kinds, strict=True))  # fmt: skip
    made = f"{', '.join([*names, *['err'] * failing])} := {made}"
    return f"wcRun({place}, func() bool {{ {named}{made}; {'wcNoError(err); ' * failing}right := {same}; {end} }})"


_LINES = {"cpp": _cpp_line, "go": _go_line, "java": _java_line, "rust": _rust_line}


def _script_line(place: int, test: Row, called: Called) -> str:
    name, types = called.function.name, called.script
    write = types.argument if types is not None else lambda _, value: plain_script(value)
    given = ", ".join(write(number, one) for number, one in enumerate(test["arguments"]))
    if "expected" not in test:
        return f"await wavecoderNote({place}, () => {name}({given}));"
    after, told, right = test.get("after"), test["expected"], "true"
    if called.function.returns != "void":
        right = f"wavecoderSame(await {name}(...a), {plain_script(told, big=True)})"
    elif after is None:
        if not isinstance(told, list | dict) or not test["arguments"]:
            raise Unwritable("nothing that is returned")
        after = [told]
    held = f"right = {right}" if right != "true" else f"right = (await {name}(...a), true)"
    if after is not None:
        looks = (f" && wavecoderSame(a[{n}], {plain_script(one, big=True)})" for n, one in enumerate(after))
        end = f"return right{''.join(looks)}"
    elif any(isinstance(one, list | dict) for one in test["arguments"]):
        end = f"wavecoderKept(a, [{given}]); return right"
    else:
        end = "return right"
    return f"await wavecoderRun({place}, async () => {{ const a = [{given}], {held}; {end} }});"
