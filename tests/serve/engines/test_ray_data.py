"""Questions through a live Ray Data stream: each is answered at once, whatever else is asked."""

import asyncio
import json

import psutil
import pytest

from core.chat import ChatRequest
from serve.engines.ray_data import DataChat
from tests.processes import processes_below

pytestmark = pytest.mark.slow


def echo(row):
    """In place of an engine: says what it was asked, or fails."""
    text = row["messages"][-1]["content"]
    sampling = row["sampling_params"]
    return {
        "number": row["number"],
        "generated_text": f"{text} {sampling['seed']} {sampling['structured_outputs']['json']}",
        "num_generated_tokens": 5 if text == "long" else 3,
        "num_input_tokens": 2,
        "__inference_error__": "ValueError: prompt too long" if text == "bad" else "",
    }


def ask(chat, text, seed=0):
    return chat(ChatRequest("m", [{"role": "user", "content": text}], 5, seed=seed,
                schema={"type": "object", "properties": {f"p{seed}": {"type": "string"}}}))  # fmt: skip


def test_questions_are_answered_one_by_one_and_together(local_ray):
    chat = DataChat(lambda rows: rows.map(echo, num_cpus=0))

    async def use():
        one = await ask(chat, "alone")  # nothing comes after it that could fill a batch
        many = await asyncio.gather(
            *(ask(chat, text, seed) for seed, text in enumerate(("a", "long", "bad", "é", "b")))
        )
        return one, many

    try:
        one, many = asyncio.run(use())
        again = asyncio.run(ask(chat, "in another loop"))
    finally:
        chat.close()
    assert one["error"] == "" and one["finish_reason"] == "stop" and one["completion_tokens"] == 3
    assert [answer["text"].split()[1] for answer in many] == list("01234")
    assert json.loads(many[3]["text"].split(" ", 2)[2])["properties"] == {"p3": {"type": "string"}}
    assert many[1]["finish_reason"] == "length"
    assert many[2]["error"] == "ValueError: prompt too long"
    assert again["text"].startswith("in another loop")


def test_engines_that_fail_for_good_end_the_job_with_one_line(local_ray):
    def fail(row):
        raise RuntimeError("no memory\nfor this model")

    chat = DataChat(lambda rows: rows.map(fail, num_cpus=0))
    try:
        with pytest.raises(ConnectionError, match="engines inside Ray Data ended: .*no memory") as caught:
            asyncio.run(ask(chat, "x"))
        with pytest.raises(ConnectionError):
            asyncio.run(ask(chat, "y"))
    finally:
        chat.close()
    assert "\n" not in str(caught.value)


def test_a_killed_reader_of_the_questions_ends_the_job_instead_of_waiting_for_ever(local_ray):
    chat = DataChat(lambda rows: rows.map(echo, num_cpus=0))

    async def use():
        await ask(chat, "one")
        (reader,) = processes_below(psutil.Process(), "Read_Questions")
        reader.kill()
        await asyncio.wait_for(ask(chat, "two"), 60)

    try:
        with pytest.raises(ConnectionError, match="engines inside Ray Data ended"):
            asyncio.run(use())
    finally:
        chat.close()
