"""One raw code → its generations; one generation → its verdict; by asking an LLM, with retries. No Ray here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from codeocean.collect.unsafe_text import speaks_to_a_model
from codeocean.generate.few_shot import draw_number, is_accepted
from codeocean.generate.jobs import GenerationJob, TurnAnswer
from codeocean.generate.ledger import Usage
from codeocean.generate.parse import Candidate, check_candidate, parse_candidate
from codeocean.generate.prompts import (
    discriminator_messages,
    discriminator_schema,
    generator_messages,
    generator_schema,
    prompt_version,
)
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.task_inputs import NO_BUG
from codeocean.generate.tasks import Task
from codeocean.generate.verdicts import Verdict, parse_verdict
from codeocean.grammars import GRAMMARS
from codeocean.records import row_id
from codeocean.syntax import has_syntax_error
from codeocean.teachers import LEFT_OPEN
from core.chat import Chat, ChatAnswer, ChatRequest
from core.python_syntax import python_tree
from core.text import storable

Row = dict[str, Any]

MOST_ROOM = 8
"""Times `max_tokens` that a thinking model may be given on retries."""


async def generate_one(job: GenerationJob, task: Task, config: GenerateConfig, chat: Chat, model: str) -> TurnAnswer:
    """Ask the generator until a candidate passes the checks, at most `attempts` times.

    Args:
        job: the raw code, and what else goes into the prompt.
        task: what to make of it.
        config: attempts, temperatures, limits.
        chat: the generator.
        model: the endpoint's name for it.

    Returns:
        GENERATIONS rows, one for each attempt; at most the last one has no error.
    """
    raw, shots = job.raw, job.shots
    unfit = why_not_asked(raw, config.max_code_chars)
    if unfit or job.given is None:
        row = _generation(job, task, config, attempt=0) | {"error": unfit or NO_BUG}
        return {"rows": [row], "used": Usage().as_json(), "open": False}
    messages = generator_messages(task, shots, raw | job.given, job.target_language)
    schema = generator_schema(task, config.max_answer_chars)
    role = AskedRole(chat, request_of(config.generator, model, messages, schema), config.retry_temperature)
    rows = []
    for attempt in range(config.attempts):
        row = _generation(job, task, config, attempt)
        answer = await role.ask(attempt, row["seed"])
        candidate = parse_candidate(answer["text"], answer["finish_reason"], job.given)
        row |= as_it_came(answer)
        if answer["error"]:
            row["error"] = no_answer(answer)
        elif isinstance(candidate, Candidate):
            candidate = Candidate(**{name: storable(text) for name, text in vars(candidate).items()})
            row |= vars(candidate)
            language = job.target_language or raw["language"]
            row["error"] = check_candidate(candidate, task, language, shots, fails_to_parse)
            if not row["error"] and speaks_to_a_model("\n".join(vars(candidate).values())):
                row["error"] = "speaks to its reader"
        else:
            row["error"] = candidate
        rows.append(row)
        role.used.failures[row["error"]] += bool(row["error"])
        if not row["error"] or role.is_refused:
            break
    return {"rows": rows, "used": role.used.as_json(), "open": role.is_open}


def why_not_asked(raw: Row, max_chars: int) -> str:
    """Why raw code is not put into a prompt; empty when it is."""
    if len(raw["code"]) > max_chars:
        return "code too long for the prompt"
    if not raw["code"].strip():
        return "no code"
    # Marks of a chat would become turns of the chat: the engine's tokenizer cannot tell who wrote them.
    return "code speaks to the model" if speaks_to_a_model(raw["code"] + "\n" + (raw["docstring"] or "")[:1000]) else ""


async def judge_any(
    generations: Sequence[Row], task: Task, config: GenerateConfig, chat: Chat, model: str
) -> TurnAnswer:
    """Ask the discriminator about generations of one exercise, one after the other, until it accepts one.

    Args: as `judge_one`.

    Returns:
        A VERDICTS row for each that it was asked about; the last one decides.
    """
    rows, used, is_open = list[Row](), Usage(), False
    for generation in generations:
        answer = await judge_one(generation, task, config, chat, model)
        rows += answer["rows"]
        used.add(Usage.from_json(answer["used"]))
        is_open = answer["open"]
        if is_open or is_accepted(rows[-1]):
            break
    return {"rows": rows, "used": used.as_json(), "open": is_open}


async def judge_one(generation: Row, task: Task, config: GenerateConfig, chat: Chat, model: str) -> TurnAnswer:
    """Ask the discriminator until its verdict parses, at most `attempts` times.

    Args:
        generation: GENERATIONS row that passed the checks.
        task: whose rules to check.
        config: attempts, temperatures.
        chat: the discriminator.
        model: the endpoint's name for it.

    Returns:
        One VERDICTS row.
    """
    messages, schema = discriminator_messages(task, generation), discriminator_schema(task)
    role = AskedRole(chat, request_of(config.discriminator, model, messages, schema), config.retry_temperature)
    row: Row = {"id": generation["id"], "rules": [], "overall": "", "reasons": "", "error": ""}
    row |= {"discriminator": config.discriminator.model, "raw_text": "", "reasoning": ""}
    for attempt in range(config.attempts):
        seed = draw_number(config.seed, "judge", generation["id"], attempt)
        answer = await role.ask(attempt, seed)
        verdict: Verdict | str = no_answer(answer)
        if not verdict:
            verdict = parse_verdict(answer["text"], answer["finish_reason"], task)
        row |= as_it_came(answer)
        row |= {"error": verdict} if isinstance(verdict, str) else vars(verdict) | {"error": ""}
        role.used.failures[row["error"]] += bool(row["error"])
        if not row["error"] or role.is_refused:
            break
    row["rules"] = [rule | {"reason": storable(rule["reason"])} for rule in row["rules"]]
    return {"rows": [row | {"reasons": storable(row["reasons"])}], "used": role.used.as_json(),
            "open": role.is_open}  # fmt: skip


def as_it_came(answer: ChatAnswer) -> Row:
    """Text and thinking of an answer, for whoever looks at it later; neither goes into the instance as it is."""
    return {
        "raw_text": storable(answer["text"] or answer["error"]),
        "reasoning": storable(answer.get("reasoning", "")),
    }


def no_answer(answer: ChatAnswer) -> str:
    """The reason why there is no answer; empty when there is one. Details stay in the row's `raw_text`."""
    return f"no answer: {answer['error'].partition(':')[0]}" if answer["error"] else ""


def request_of(config: RoleConfig, model: str, messages: list[dict[str, str]], schema: Row) -> ChatRequest:
    """A role's question before it has a seed."""
    return ChatRequest(model, messages, config.max_tokens, config.temperature, schema=schema)


class AskedRole:
    """One LLM role while it answers one question, however often it is asked."""

    def __init__(self, chat: Chat, request: ChatRequest, retry_temperature: float) -> None:
        self._chat, self._request, self._retry_temperature = chat, request, retry_temperature
        self._max_tokens = request.max_tokens
        self.used = Usage()
        self.is_refused = False
        """Whether the endpoint refused the last question for good: asked again now, it would again."""
        self.is_open = False
        """Whether the last question was refused or failed by the endpoint, not by the model."""

    async def ask(self, attempt: int, seed: int) -> ChatAnswer:
        """The answer of one attempt, as the chat gives it."""
        temperature = self._request.temperature
        if attempt > 0:  # a greedy model, asked again, would give the same answer again
            temperature = max(temperature, self._retry_temperature)
        request = replace(self._request, max_tokens=self._max_tokens, temperature=temperature, seed=seed)
        answer = await self._chat(request)
        self.used.add_answer(answer)
        self.is_refused, self.is_open = answer.get("blame") == "question", answer.get("blame") in LEFT_OPEN
        if answer["finish_reason"] == "length" and not answer["text"]:  # all of it went into thinking
            self._max_tokens = min(2 * self._max_tokens, MOST_ROOM * self._request.max_tokens)
        return answer


def _generation(job: GenerationJob, task: Task, config: GenerateConfig, attempt: int) -> Row:
    """A GENERATIONS row before its answer is known."""
    raw_id = job.raw["id"]
    seed = draw_number(config.seed, "generate", raw_id, attempt)
    return {
        "id": row_id(f"{raw_id} {task.name} {job.round} {attempt} {config.seed}"),
        "raw_id": raw_id,
        "task": task.name,
        "task_name": task.title,
        "instruction": "",
        "information": "",
        "solution": "",
        "target_language": job.target_language,
        "round": job.round,
        "attempt": attempt,
        "shots": [case.id for case in job.shots if case.id],
        "generator": config.generator.model,
        "prompt_version": prompt_version(task),
        "seed": seed,
        "raw_text": "",
        "reasoning": "",
        "error": "",
    }


def fails_to_parse(code: str, language: str) -> bool:
    """Whether code has a syntax error; code in a language that we have no grammar for is believed."""
    if language != "python":
        return language in GRAMMARS and has_syntax_error(code, language)
    try:  # Python's own parser is stricter: a signature without a body is no function
        python_tree(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return True
    return False
