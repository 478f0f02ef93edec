"""One accepted candidate → tests for it, and further solutions of it; by asking an LLM, with retries. No Ray here."""

from __future__ import annotations

from typing import Any

from codeocean.collect.unsafe_text import speaks_to_a_model
from codeocean.generate.ask import AskedRole, as_it_came, fails_to_parse, no_answer, request_of
from codeocean.generate.few_shot import draw_number
from codeocean.generate.jobs import ProofJob, TurnAnswer
from codeocean.generate.parse import answered_object, strip_fence
from codeocean.generate.prompts import MAX_LINE_CHARS, MEAN_LINE_CHARS
from codeocean.generate.settings import GenerateConfig
from codeocean.generate.tester import (
    RETELL,
    ParsedTests,
    messages_for_solution,
    messages_for_tests,
    parse_tests,
    schema_of_tests,
)
from core.chat import Chat, ChatAnswer
from core.text import storable

Row = dict[str, Any]


async def ask_tests(job: ProofJob, config: GenerateConfig, chat: Chat, model: str) -> TurnAnswer:
    """Ask the tester until its tests parse, at most `attempts` times.

    Args:
        job: what is to be tested.
        config: attempts, temperatures, `tests`.
        chat: the tester.
        model: the endpoint's name for it.

    Returns:
        One row: `{tests, refused, error, raw_text}`.
    """
    instruction, number = job.generation["instruction"], config.tests
    messages = messages_for_tests(instruction, job.information, job.signature, job.language, number)
    request = request_of(config.tester or config.generator, model, messages, schema_of_tests(number))
    role = AskedRole(chat, request, config.retry_temperature)
    row: Row = {"tests": [], "refused": {}, "error": "", "raw_text": ""}
    for attempt in range(config.attempts):
        answer = await role.ask(attempt, draw_number(config.seed, "test", job.generation["id"], attempt))
        found: ParsedTests | str = no_answer(answer)
        if not found:
            found = parse_tests(answer["text"], answer["finish_reason"], job.name, job.language, number)
        if isinstance(found, ParsedTests):
            row |= {"tests": found.kept, "refused": dict(found.refused)}
        row |= {"error": found if isinstance(found, str) else "" if found.kept else "no test can be run"}
        row |= {"raw_text": as_it_came(answer)["raw_text"]}
        role.used.failures[row["error"]] += bool(row["error"])
        if not row["error"] or role.is_refused:
            break
    return {"rows": [row], "used": role.used.as_json(), "open": role.is_open}


async def ask_solution(job: ProofJob, config: GenerateConfig, number: int, chat: Chat, model: str) -> TurnAnswer:
    """Ask for one more solution of a candidate's exercise, or for code from a summary alone, at most `attempts` times.

    Args: as `ask_tests`; number: of the solution, from 1 on, which decides its seed.

    Returns:
        One row: `{solution, seed, error, raw_text}`.
    """
    generation, language = job.generation, job.language
    asked = generation["instruction"], job.information
    if job.retold:
        asked = RETELL.format(generation["solution"]), ""
    messages = messages_for_solution(*asked, job.signature, language)
    line = {"type": "string", "maxLength": MAX_LINE_CHARS}
    most = max(2, config.max_answer_chars // MEAN_LINE_CHARS)
    lines = {"type": "array", "items": line, "minItems": 1, "maxItems": most}
    schema = {"type": "object", "properties": {"solution": lines}, "required": ["solution"]}
    request = request_of(config.generator, model, messages, schema | {"additionalProperties": False})
    role = AskedRole(chat, request, config.retry_temperature)
    row: Row = {"solution": "", "seed": 0, "error": "", "raw_text": ""}
    for attempt in range(config.attempts):
        row["seed"] = draw_number(config.seed, "solve", generation["id"], number, attempt)
        # The same prompt answered greedily would be the same solution again.
        answer = await role.ask(max(1, attempt), row["seed"])
        row |= {"error": no_answer(answer), "raw_text": as_it_came(answer)["raw_text"], "solution": ""}
        if not row["error"]:
            solution = _solution(answer)
            row |= {"solution": solution, "error": _why_no_solution(solution, language)}
        role.used.failures[row["error"]] += bool(row["error"])
        if not row["error"] or role.is_refused:
            break
    return {"rows": [row], "used": role.used.as_json(), "open": role.is_open}


def _solution(answer: ChatAnswer) -> str:
    """The code of an answer; empty where it is cut off or none."""
    found = answered_object(answer["text"], answer["finish_reason"], ["solution"])
    value = found.get("solution") if isinstance(found, dict) else None
    if isinstance(value, list) and all(isinstance(line, str) for line in value):
        value = "\n".join(value)
    return storable(strip_fence(value)) if isinstance(value, str) else ""


def _why_no_solution(solution: str, language: str) -> str:
    if not solution.strip():
        return "no solution"
    if fails_to_parse(solution, language):
        return "solution does not parse"
    return "speaks to its reader" if speaks_to_a_model(solution) else ""
