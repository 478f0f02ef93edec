"""Ten odd teachers: right answers are used, nothing is fatal that should not be, and the ledger's cost is the server's."""

import json

import pytest
from pyarrow import fs as pafs

from bench.teachers.measure import BARS, TEACHERS, measure
from codeocean.generate.flow import generate
from codeocean.generate.settings import GenerateConfig, PriceConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from serve.client.token_count import counted
from tests.codeocean.conftest import raw_row
from tests.scripted_teacher import ScriptedTeacher, completion, exercise

PRICE = PriceConfig(prompt=1.0, completion=4.0, cached=0.1, cache_write=1.25)
ROLE = RoleConfig(model="m", price=PRICE, max_tokens=512)
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=20, tasks={"summarization": 1}, concurrency=8)


@pytest.mark.parametrize("name", TEACHERS)
def test_right_answers_are_used_and_the_bill_is_right(name):
    found = measure(name, 40)
    assert found["fatal"] == ""
    assert found["used"] == 1 and sum(found["dropped"].values()) == 40 - found["right"]
    assert found["cost_error"] <= BARS["cost_error"]


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
