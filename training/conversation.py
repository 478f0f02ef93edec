"""Chats of any number of turns → the text of their template, and which of it is learnt. No Ray here.

What is learnt is what the template marks by `{% generation %}`. A template without marks must be a clean split: a chat
up to an answer, opened for it, is the beginning of the chat with the answer, and a control token ends the answer. This
is proved on a chat when the template is chosen, and on each row.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal
from weakref import WeakKeyDictionary

import jinja2

from core.literal_text import MARK
from training.tokenizer import TextEncoder, encoder_of

Message = dict[str, Any]

Learn = Literal["all", "last"]

ROLES = ("system", "user", "assistant", "tool")

_OTHER_NAMES = {"developer": "system", "function": "tool", "human": "user", "gpt": "assistant", "model": "assistant",
                "ipython": "tool"}  # fmt: skip

_TODAY = datetime.datetime(2024, 7, 26, tzinfo=datetime.UTC)
"""Stands in templates that write the date, so that rows are the same on every day; Llama 3.1's own."""

_MARKS = re.compile(r"\{%-?\s*generation\s*-?%\}")

_QUESTION, _ANSWER = "Add one to x.", "x = x + 1"
_PROBE = [{"role": "user", "content": _QUESTION}, {"role": "assistant", "content": _ANSWER}]


class UncleanSplitError(ValueError):
    """A chat whose answers cannot be told from the rest of its text."""


@dataclass(frozen=True)
class Rendered:
    """A chat as text."""

    text: str
    """Ends with the last answer that is learnt."""
    answers: list[tuple[int, int]]
    """Beginning and end of each answer that is learnt, the control token that ends it included."""


class ChatTemplate:
    """A tokenizer's chat template, and what it can show."""

    def __init__(self, tokenizer: Any) -> None:
        """For a tokenizer that has one."""
        self.text: str = tokenizer.chat_template
        self._special = dict(tokenizer.special_tokens_map)
        self._encoder: TextEncoder = encoder_of(tokenizer)
        self._marked = _MARKS.search(self.text) is not None

    def check(self) -> None:
        """Prove that one answer can be told from its prompt.

        Raises:
            UncleanSplitError: it cannot; the line says why.
        """
        found = self.render(_PROBE, "all")
        learnt = "".join(found.text[start:end] for start, end in found.answers)
        if _ANSWER not in learnt or _QUESTION in learnt:
            raise UncleanSplitError("its marks of generation do not hold the answer")
        if not (self._end and learnt.rstrip().endswith(self._end)):
            raise UncleanSplitError("no special token ends its answers; end them with eos_token")

    @cached_property
    def end_ids(self) -> list[int]:
        """Numbers of the control tokens that end an answer."""
        return [self._encoder.control[self._end]] if self._end else []

    @cached_property
    def _end(self) -> str:
        """The control token that ends an answer; empty where none does."""
        text = self._apply(_PROBE)
        found = self._encoder.spelled.search(text, text.rindex(_ANSWER))
        return found[0] if found else ""

    @cached_property
    def _end_number(self) -> int:
        """Which of the control tokens behind an opened chat ends its answer; those of the answer itself are broken up.

        Raises:
            UncleanSplitError: none does.
        """
        before, after = self._apply(_PROBE[:1], opened=True), self._apply(_PROBE)
        if not after.startswith(before):
            raise UncleanSplitError("a chat opened for an answer is not the beginning of the chat with the answer")
        at = after.find(_ANSWER, len(before))
        if at < 0:
            raise UncleanSplitError("it leaves the answer out")
        found = [match.start() > at for match in self._encoder.spelled.finditer(after, len(before))]
        if not any(found):
            raise UncleanSplitError("no special token ends its answers; end them with eos_token")
        return found.index(True)

    def render(self, messages: Sequence[Message], learn: Learn) -> Rendered:
        """A chat as text, up to the last answer that is learnt.

        Args:
            messages: `role, content`, and `tool_calls`; what the template cannot show is carried as text.
            learn: every answer, or the last.

        Raises:
            UncleanSplitError: it holds no answer, or its answers cannot be told from the rest.
            LossyTextError: it holds the noncharacter that breaks up special tokens, or half a pair of surrogates.
        """
        chat = self._fitted(messages)
        while chat and chat[-1]["role"] != "assistant":
            chat.pop()
        if not chat:
            raise UncleanSplitError("a chat holds no answer")
        if self._marked:
            text, marked = self._apply_marked(chat)
            answers = [part for parts in (marked if learn == "all" else marked[-1:]) for part in parts]
        else:
            numbers = [number for number, message in enumerate(chat) if message["role"] == "assistant"]
            text = self._apply(chat)
            answers = [self._answer(chat, number, text) for number in (numbers if learn == "all" else numbers[-1:])]
        if not answers:
            raise UncleanSplitError("the template marks no answer")
        return Rendered(text[: answers[-1][1]], answers)

    def _answer(self, chat: list[Message], number: int, whole: str) -> tuple[int, int]:
        """Where an answer begins and ends in a chat's text, by the difference of two beginnings of it."""
        before, after = self._apply(chat[:number], opened=True), self._apply(chat[: number + 1])
        ends = [match.end() for match in self._encoder.spelled.finditer(after, len(before))]
        if not after.startswith(before) or len(ends) <= self._end_number:
            raise UncleanSplitError("a chat opened for an answer is not the beginning of the chat with the answer")
        end = ends[self._end_number]
        if chat[number]["content"].strip() not in after[len(before) : end]:
            raise UncleanSplitError("the template changes the answer")
        if not whole.startswith(after[:end]):
            raise UncleanSplitError("an answer's text changes with the turns behind it; take train.loss_on: last")
        return len(before), end

    def _apply(self, chat: Sequence[Message], *, opened: bool = False) -> str:
        (text,), _ = self._render(chat, opened=opened, marks=False)
        return text

    def _apply_marked(self, chat: Sequence[Message]) -> tuple[str, list[list[tuple[int, int]]]]:
        """The chat's text and the marked parts of each answer; marks often leave out the token that ends it."""
        (text,), (marks,) = self._render(chat, opened=False, marks=True)
        left_out = re.compile(rf"\s*{re.escape(self._end)}")
        answers: list[list[tuple[int, int]]] = [[]]
        for start, end in marks:
            ended = self._end and text[start:end].rstrip().endswith(self._end)
            behind = None if ended else left_out.match(text, end)
            answers[-1].append((start, behind.end() if behind else end))
            if ended or behind:
                answers.append([])
        kept = ([(start, end) for start, end in parts if start < end] for parts in answers)
        return text, [parts for parts in kept if parts]

    def _render(self, chat: Sequence[Message], *, opened: bool, marks: bool) -> Any:
        from transformers.utils.chat_template_utils import render_jinja_template

        try:
            return render_jinja_template(
                conversations=[list(chat)], chat_template=self.text, add_generation_prompt=opened,
                return_assistant_tokens_mask=marks, strftime_now=_TODAY.strftime, **self._special,
            )  # fmt: skip
        except (jinja2.TemplateError, TypeError, ValueError, KeyError) as error:
            raise UncleanSplitError(f"it cannot show the chat: {' '.join(str(error).split())[:200]}") from None

    def _fitted(self, messages: Sequence[Message]) -> list[Message]:
        """The chat as messages that the template shows, special tokens that they spell broken up."""
        chat: list[Message] = []
        system = ""
        for message in plain_messages(messages):
            role, content = message["role"], self._encoder.defused(message["content"])
            if role == "system" and not (self._shows_system and not chat):
                system = f"{system}{content}\n\n"
                continue
            if role == "tool" and not self._shows_tools:
                role = "user"
            if role == "assistant" and system:
                chat.append({"role": "user", "content": system.rstrip("\n")})
                system = ""
            if role == "user":
                content, system = system + content, ""
            if role == "user" and chat and chat[-1]["role"] == "user":  # many templates want turns to alternate
                chat[-1]["content"] += f"\n\n{content}"
            else:
                chat.append({"role": role, "content": content})
        return chat

    @cached_property
    def _shows_system(self) -> bool:
        return self._shows([{"role": "system", "content": "Be brief."}, {"role": "user", "content": _QUESTION}],
                           "Be brief.")  # fmt: skip

    @cached_property
    def _shows_tools(self) -> bool:
        return self._shows([*_PROBE, {"role": "tool", "content": "It is 2."}], "It is 2.")

    def _shows(self, chat: list[Message], content: str) -> bool:
        try:
            return content in self._apply(chat)
        except UncleanSplitError:
            return False


def plain_messages(messages: Sequence[Message]) -> list[Message]:
    """Messages of texts alone: calls of tools as JSON lines behind the content, lists of parts as their texts.

    Raises:
        UncleanSplitError: a role, a content, a part of it or a call is none.
    """
    plain = []
    for message in messages:
        role, content = message.get("role"), message.get("content")
        role = _OTHER_NAMES.get(role, role) if isinstance(role, str) else None
        calls = message.get("tool_calls") or []
        if message.get("function_call"):  # OpenAI's form before `tool_calls`
            calls = [{"function": message["function_call"]}, *calls]
        try:
            texts = [_text_of(part) for part in content] if isinstance(content, list) else [content or ""]
            lines = [_line_of(call) for call in calls]
            plain.append({"role": role, "content": "\n".join([*filter(None, ["".join(texts)]), *lines])})
        except (TypeError, AttributeError, KeyError):
            role = None
        if role not in ROLES:
            raise UncleanSplitError(f"a message has the role {message.get('role')!r}, or a content or calls of tools "
                                    "that are no text")  # fmt: skip
    return plain


def _text_of(part: Any) -> str:
    """Of a part of a content; raises where it is none, as an image is."""
    text: str = part if isinstance(part, str) else part["text"] or ""
    return text


def _line_of(call: Any) -> str:
    """A tool's call as a line of JSON."""
    called = call.get("function", call)
    if not isinstance(called, dict):
        raise TypeError("a call is no object")
    return json.dumps(called, ensure_ascii=False)


_TEMPLATES: WeakKeyDictionary[Any, ChatTemplate] = WeakKeyDictionary()


def template_of(tokenizer: Any) -> ChatTemplate:
    """The tokenizer's template as it is now, made once."""
    known = _TEMPLATES.get(tokenizer)
    if known is None or known.text != tokenizer.chat_template:
        known = _TEMPLATES[tokenizer] = ChatTemplate(tokenizer)
    return known


def tokenize_chat(tokenizer: Any, messages: Sequence[Message], learn: Learn) -> tuple[list[int], list[bool]]:
    """A chat's tokens up to its last answer that is learnt, and whether each is learnt from.

    An answer is tokenised as it is generated: as text behind its prompt, and not together with it.

    Raises:
        UncleanSplitError: its answers cannot be told from the rest.
        LossyTextError: the tokenizer does not give a text back.
    """
    encoder, found = encoder_of(tokenizer), template_of(tokenizer).render(messages, learn)
    ids: list[int] = []
    learnt: list[bool] = []
    done, behind = 0, ""
    for start, end in found.answers:
        pieces = [encoder.rendered(found.text[done:start], behind)]
        pieces.append(_answer_ids(encoder, found.text[start:end]))
        for piece, is_answer in zip(pieces, (False, True), strict=True):
            ids += piece
            learnt += [is_answer] * len(piece)
        done = end
        ends = [match for match in encoder.spelled.finditer(found.text, start, end) if match.end() == end]
        behind = ends[0][0] if ends else ""
    return ids, learnt


def _answer_ids(encoder: TextEncoder, text: str) -> list[int]:
    """Tokens of an answer: its text, and the template's control tokens in it and at its end."""
    ids: list[int] = []
    for number, part in enumerate(re.split(f"({encoder.spelled.pattern})", text)):
        if number % 2:
            ids.append(encoder.control[part])
        elif part:
            ids += encoder.answer(part.replace(MARK, ""))
    return ids
