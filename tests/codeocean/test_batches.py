"""A generation through a Batch API: few batches, the same data as by single questions, and none is paid for twice."""

import asyncio
import json

import pyarrow as pa
import pytest
from pyarrow import fs as pafs

from codeocean.export.mix import AnswerConfig
from codeocean.export.reanswer import answer_rows
from codeocean.generate.flow import generate
from codeocean.generate.ledger import token_cost
from codeocean.generate.settings import GenerateConfig, PriceConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from core.chat import ChatRequest
from serve.client.batches import BatchChat
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from tests.codeocean.conftest import raw_row
from tests.scripted_batches import ScriptedBatches
from tests.scripted_teacher import ScriptedTeacher, completion, exercise, refusal
from tests.serve.client import published_rules

FS = pafs.LocalFileSystem()
ROLE = RoleConfig(model="m", endpoint="http://x/v1", price=PriceConfig(prompt=1.0, completion=2.0), batch=True)
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=20, tasks={"summarization": 1})
TASKS, ROWS = load_tasks(), [raw_row(number) for number in range(60)]


def good(_, body):
    return completion(exercise(body))


def run(folder, chat):
    return generate(
        CONFIG, TASKS, ROWS, {"generator": (chat, "m"), "discriminator": (chat, "m")}, FS, str(folder / "generate")
    )


def batch_chat(url, folder):
    return BatchChat(
        EndpointConfig(url=f"{url}/v1", max_retries=1), FS, str(folder / "batches"), poll_s=0.02, quiet_s=0.2
    )


def test_the_data_is_that_of_single_questions_at_half_the_price(tmp_path):
    server = ScriptedBatches(good)
    with server.running() as url:
        result, ledger = run(tmp_path / "batches", batch_chat(url, tmp_path))
    with ScriptedTeacher(good).running() as url:
        single, whole = run(tmp_path / "single", ChatClient(EndpointConfig(url=f"{url}/v1")))
    assert result.accepted == single.accepted and result.dropped == single.dropped
    assert server.lines == sum(used.questions for used in ledger.whole().used.values())
    assert len(server.batches) <= 8  # generations of two rounds, then their verdicts and the next round's generations
    roles = {"generator": ROLE, "discriminator": ROLE}
    full = {role: config.model_copy(update={"batch": False}) for role, config in roles.items()}
    assert token_cost(ledger.whole(), roles) == pytest.approx(token_cost(whole.whole(), full) / 2)


async def _cut_off_when_noted(asking, folder):
    """The note of the first batch that was made; who asked is cancelled then."""
    task = asyncio.create_task(asking)
    while not (notes := [path for path in folder.glob("*.json") if json.loads(path.read_text())["id"]]):
        assert not task.done()
        await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    return notes[0]


def test_a_job_that_is_cut_off_waits_for_its_batches_and_makes_none_twice(tmp_path):
    server = ScriptedBatches(good, looks=10**9)
    with server.running() as url:
        note = asyncio.run(_cut_off_when_noted(_ask(batch_chat(url, tmp_path), 5), tmp_path / "batches"))
        assert len(server.batches) == 1
        note.write_text(
            json.dumps(json.loads(note.read_text()) | {"id": ""})
        )  # as if it had died before it noted the id
        next(iter(server.batches.values()))["left"] = server.looks = 0
        answers = asyncio.run(_ask(batch_chat(url, tmp_path), 7))
    assert [answer["error"] for answer in answers] == [""] * 7
    assert server.lines == 7 and len(server.batches) == 2  # the two new questions are a batch of their own


def test_lines_that_failed_are_asked_again_by_the_next_run_alone(tmp_path):
    server = ScriptedBatches(lambda number, body: refusal(500, "oops") if number == 2 else good(number, body), looks=0)
    with server.running() as url:
        first = asyncio.run(_ask(batch_chat(url, tmp_path), 3))
        again = asyncio.run(_ask(batch_chat(url, tmp_path), 3))
    assert sorted(answer["error"] for answer in first) == ["", "", "the endpoint says 500: oops"]
    assert {answer["blame"] for answer in first} == {"", "endpoint"}
    assert [answer["error"] for answer in again] == [""] * 3 and server.lines == 4


def test_what_lines_are_refused_for_is_learnt(tmp_path):
    server = ScriptedBatches(lambda _, body: published_rules.openai_reasoning(body, {}) or good(_, body), looks=0)
    with server.running() as url:
        chat = batch_chat(url, tmp_path)
        assert [answer["error"] for answer in asyncio.run(_ask(chat, 3))] == [""] * 3
    assert chat.learnt["m"] == ["max_tokens (sent as max_completion_tokens)", "temperature"]


def test_an_empty_account_ends_the_job(tmp_path):
    server = ScriptedBatches(lambda *_: refusal(402, "no money"), looks=0)
    with server.running() as url, pytest.raises(PermissionError, match="no money"):
        asyncio.run(_ask(batch_chat(url, tmp_path), 2))


def test_all_rows_of_a_mix_become_one_batch_and_a_second_run_asks_nothing(tmp_path):
    rows = pa.table(
        {
            "id": [str(each) for each in range(30)],
            "instruction": [f"Do {each}." for each in range(30)],
            "input": [""] * 30,
        }
    )
    config = AnswerConfig(model="m", endpoint="http://x/v1", concurrency=2, rows_per_part=8, batch=True)
    server = ScriptedBatches(lambda _, body: completion(body["messages"][-1]["content"].upper()), looks=0)
    with server.running() as url:
        for _ in range(2):
            chat = batch_chat(url, tmp_path)
            found = asyncio.run(answer_rows(config, rows, chat, "m", FS, str(tmp_path / "answers")))
    assert found.found == [(f"DO {each}.", "") for each in range(30)] and found.unanswered == []
    assert (len(server.batches), server.lines) == (1, 30)


@pytest.mark.parametrize("seed", ["seed", ""])
def test_each_sample_of_a_question_has_an_answer_of_its_own(tmp_path, seed):
    async def samples(chat):
        return await asyncio.gather(*[chat(ChatRequest("m", [], 9, 0.8, seed=each)) for each in range(4)])

    server = ScriptedBatches(lambda number, _: completion(str(number)), looks=0)
    with server.running() as url:
        for _ in range(2):  # the second time they are found
            chat = BatchChat(EndpointConfig(url=f"{url}/v1", rules={"seed": seed}), FS, str(tmp_path), quiet_s=0.2)
            assert {answer["text"] for answer in asyncio.run(samples(chat))} == {"1", "2", "3", "4"}
    assert (len(server.batches), server.lines) == (1, 4)


async def _ask(chat, number):
    shown = [{"role": "assistant", "content": json.dumps({"solution": 1})}]
    return await asyncio.gather(*[
        chat(ChatRequest("m", [*shown, {"role": "user", "content": str(each)}], 9, seed=1)) for each in range(number)
    ])  # fmt: skip
