"""Conditions of C's preprocessor: true, false, or unknown where a macro is that no file shows."""

from __future__ import annotations

import re
from collections.abc import Callable

Value = int | None
"""None: it cannot be told."""
MAX_DEPTH = 20
"""Macros in macros, and parentheses in parentheses."""
MAX_TOKENS = 400
_TOKEN = re.compile(
    r"\s*(?:(?P<comment>/\*.*?\*/|//.*)|(?P<number>0[xX][\da-fA-F']+|0[bB][01']+|\d[\d']*)[uUlLzZ]*"
    r"|(?P<word>[A-Za-z_]\w*)|(?P<sign>&&|\|\||<<|>>|[<>=!]=|[-+*/%<>!~&|^?:(),])|(?P<other>\S))", re.DOTALL
)  # fmt: skip
_ORDER = ("||", "&&", "|", "^", "&", "== !=", "< > <= >=", "<< >>", "+ -", "* / %")


class UnreadableError(Exception):
    """A condition that is written in a way that is not read."""


class Condition:
    """The text behind `#if`, read once."""

    def __init__(
        self, text: str, value_of: Callable[[str, list[str]], Value], is_defined: Callable[[str], Value]
    ) -> None:
        """Args: text: the condition; value_of: a macro's, by name and arguments; is_defined: whether there is one."""
        self._tokens = [
            (kind, found[kind]) for found in _TOKEN.finditer(text) if (kind := found.lastgroup or "") != "comment"
        ]
        self._value_of, self._is_defined = value_of, is_defined
        self._at = self._depth = 0

    def value(self) -> Value:
        """Its value; None where it cannot be told."""
        if len(self._tokens) > MAX_TOKENS:
            return None
        try:
            value = self._choice()
        except (UnreadableError, ZeroDivisionError, ValueError, OverflowError):
            return None
        return value if self._at == len(self._tokens) else None

    def _peek(self) -> str:
        return self._tokens[self._at][1] if self._at < len(self._tokens) else ""

    def _take(self, wanted: str = "") -> tuple[str, str]:
        if self._at >= len(self._tokens) or (wanted and self._peek() != wanted):
            raise UnreadableError
        self._at += 1
        return self._tokens[self._at - 1]

    def _choice(self) -> Value:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise UnreadableError
        value = self._binary(0)
        if self._peek() == "?":
            self._take()
            first = self._choice()
            self._take(":")
            second = self._choice()
            value = (first if first == second else None) if value is None else first if value else second
        self._depth -= 1
        return value

    def _binary(self, level: int) -> Value:
        if level == len(_ORDER):
            return self._unary()
        left = self._binary(level + 1)
        while (sign := self._peek()) and sign in _ORDER[level].split():
            self._take()
            left = _joined(sign, left, self._binary(level + 1))
        return left

    def _unary(self) -> Value:
        kind, text = self._take()
        if text in {"!", "-", "+", "~"}:
            value = self._unary()
            return None if value is None else {"!": int(not value), "-": -value, "+": value, "~": ~value}[text]
        if text == "(":
            value = self._choice()
            self._take(")")
            return value
        if kind == "number":
            digits = text.replace("'", "")
            return int(digits, 8) if re.fullmatch(r"0\d+", digits) else int(digits, 0)
        if kind != "word":
            raise UnreadableError
        if text == "defined":
            bare = self._peek() != "("
            name = self._take()[1] if bare else self._arguments()[0]
            return self._is_defined(name)
        if text in {"true", "false"}:
            return int(text == "true")
        return self._value_of(text, self._arguments() if self._peek() == "(" else [])

    def _arguments(self) -> list[str]:
        """The texts between the commas of what stands in parentheses."""
        self._take("(")
        depth, parts = 1, [""]
        while True:
            text = self._take()[1]
            depth += {"(": 1, ")": -1}.get(text, 0)
            if not depth:
                return [part.strip() for part in parts]
            if text == "," and depth == 1:
                parts.append("")
            else:
                parts[-1] += text if text in "<>./" or parts[-1][-1:] in {"<", "/", "."} else f" {text}"


def _joined(sign: str, left: Value, right: Value) -> Value:
    """Two values with a sign between them."""
    if sign == "&&":
        return 0 if 0 in (left, right) else None if None in (left, right) else 1
    if sign == "||":
        known = [value for value in (left, right) if value is not None]
        return 1 if any(known) else None if len(known) < 2 else 0
    if left is None or right is None or (sign in {"<<", ">>"} and not 0 <= right < 64):
        return None
    compared = {"==": left == right, "!=": left != right, "<": left < right, ">": left > right,
                "<=": left <= right, ">=": left >= right}  # fmt: skip
    if sign in compared:
        return int(compared[sign])
    simple = {"|": left | right, "^": left ^ right, "&": left & right, "+": left + right, "-": left - right}
    if sign in simple:
        return simple[sign]
    if sign in {"<<", ">>"}:
        return left << right if sign == "<<" else left >> right
    return left * right if sign == "*" else left // right if sign == "/" else left % right
