"""Ten odd teachers: right answers are used, nothing is fatal that should not be, and the ledger's cost is the server's."""

import json
import random

import pytest
from pyarrow import fs as pafs

from codeocean.generate.flow import generate
from codeocean.generate.ledger import token_cost
from codeocean.generate.settings import GenerateConfig, PriceConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.client.token_count import counted
from tests.codeocean.conftest import raw_row
from tests.scripted_teacher import ScriptedTeacher, completion, exercise, refusal
from tests.serve.client import published_rules

ROWS = 40
PRICE = PriceConfig(prompt=1.0, completion=4.0, cached=0.1, cache_write=1.25)
ROLE = RoleConfig(model="m", price=PRICE, max_tokens=512)
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=20, tasks={"summarization": 1}, concurrency=8)


class Metered:
    """Counts what its answers cost, as the endpoint's own bill would."""

    def __init__(self) -> None:
        self.cost, self.dice = 0.0, random.Random(3)

    def usage(self, text: str, thought: int = 0) -> dict:
        prompt, cached, out = self.dice.randrange(500, 900), self.dice.randrange(0, 400), len(text) // 4 + thought
        self.cost += ((prompt - cached) * 1.0 + cached * 0.1 + out * 4.0) / 1e6
        return {"prompt_tokens": prompt, "completion_tokens": out, "total_tokens": prompt + out,
                "prompt_tokens_details": {"cached_tokens": cached}, "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip


def plain(meter, number, body):
    text = exercise(body)
    return completion(text, usage=meter.usage(text))


def thinks_in_marks(meter, number, body):
    text = exercise(body)
    return completion(f'<think>\nMaybe {{"overall": 1}}?\n</think>\n\n{text}', usage=meter.usage(text, 70))


def thinks_in_parts(meter, number, body):
    text = exercise(body)
    parts = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": text}]
    return completion(parts, usage=meter.usage(text, 30))


def talks_around(meter, number, body):
    text = exercise(body)
    return completion(
        f"Certainly!\r\n\r\n```json\r\n{text}\r\n```\r\nAnything else?<|im_end|>", usage=meter.usage(text)
    )


def calls_a_tool(meter, number, body):
    text = exercise(body)
    calls = [{"id": "1", "type": "function", "function": {"name": "answer", "arguments": text}}]
    return completion(None, "tool_calls", meter.usage(text), tool_calls=calls)


def hides_its_thinking(meter, number, body):
    """Its thinking is in the total alone."""
    text = exercise(body)
    usage = meter.usage(text, 55)
    out = usage["completion_tokens"] - 55
    return completion(text, usage={name: value for name, value in usage.items() if "details" not in name} | {
        "completion_tokens": out, "prompt_tokens_details": usage["prompt_tokens_details"]})  # fmt: skip


def stumbles(meter, number, body):
    """Every fifth request meets one of the failures that pass."""
    failures = [refusal(429, headers={"retry-after-ms": "20"}), refusal(200, "Provider returned error", code=502), refusal(529),
                (503, "<html><title>Bad gateway</title></html>", {"Retry-After": "0.02"})]  # fmt: skip
    return failures[number // 5 % 4] if number % 5 == 0 else plain(meter, number, body)


def reasoning_model(meter, number, body):
    return published_rules.openai_reasoning(body, {}) or plain(meter, number, body)


def json_mode_alone(meter, number, body):
    return published_rules.deepseek(body, {}) or plain(meter, number, body)


def strange_words(meter, number, body):
    status, answer, headers = plain(meter, number, body)
    answer["choices"][0] |= {"finish_reason": "end_turn"}
    answer["choices"][0]["message"]["refusal"] = None
    return status, answer | {"usage": answer["usage"] | {"queue_time": 0.1}}, headers


@pytest.mark.parametrize("odd", [plain, thinks_in_marks, thinks_in_parts, talks_around, calls_a_tool, hides_its_thinking, stumbles,
                                 reasoning_model, json_mode_alone, strange_words], ids=lambda odd: odd.__name__)  # fmt: skip
def test_right_answers_are_used_and_the_bill_is_right(odd, tmp_path):
    meter, code = Metered(), [raw_row(number) for number in range(ROWS)]
    teacher = ScriptedTeacher(lambda number, body: odd(meter, number, body))
    with teacher.running() as url:
        client = ChatClient(EndpointConfig(url=f"{url}/v1", concurrency=8))
        roles = {"generator": (client, "m"), "discriminator": (client, "m")}
        result, ledger = generate(CONFIG, load_tasks(), code, roles, pafs.LocalFileSystem(), str(tmp_path))
    assert set(result.dropped) <= {"rejected by the discriminator"}
    assert len(result.accepted) + sum(result.dropped.values()) == ROWS
    assert token_cost(ledger.whole(), {"generator": ROLE, "discriminator": ROLE}) == pytest.approx(meter.cost, rel=1e-6)


def test_tokens_that_are_not_told_are_counted_and_marked(tmp_path):
    from tokenizers import Tokenizer, models, pre_tokenizers

    tokenizer = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    body = {"messages": [{"role": "user", "content": "one two three"}], "system": [{"type": "text", "text": "four"}]}
    answer = {"text": "five six", "reasoning": "seven"}
    assert counted(str(tmp_path / "tokenizer.json"), body, answer) == {
        "prompt_tokens": 4, "completion_tokens": 3, "reasoning_tokens": 1, "estimated": 1}  # fmt: skip
    assert counted("", body, answer) == {
        "prompt_tokens": 5,
        "completion_tokens": 4,
        "reasoning_tokens": 2,
        "estimated": 1,
    }
    (tmp_path / "bad.json").write_text("{}")
    with pytest.raises(ValueError, match=r"rules\.tokenizer is .*bad\.json"):
        counted(str(tmp_path / "bad.json"), body, answer)

    def silent(_, body):
        status, reply, headers = completion(exercise(body))
        del reply["usage"]
        return status, reply, headers

    with ScriptedTeacher(silent).running() as url:
        client = ChatClient(EndpointConfig(url=f"{url}/v1", concurrency=8))
        roles = {"generator": (client, "m"), "discriminator": (client, "m")}
        code = [raw_row(number) for number in range(10)]
        _, ledger = generate(CONFIG, load_tasks(), code, roles, pafs.LocalFileSystem(), str(tmp_path / "run"))
    used = ledger.whole().used["generator"]
    assert used.estimated == used.questions == 10 and used.prompt_tokens > 1000
    assert json.loads(json.dumps(used.as_json()))["estimated"] == 10
