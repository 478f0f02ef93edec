"""Questions through a live Ray Data stream: each is answered at once, whatever else is asked. The last test has a real engine."""

import asyncio
import json

import psutil
import pytest

from ray_jobs.models import resolve_model
from serve.data_flow import DataChat, data_chat
from serve.engines import EngineConfig, Model

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
    return chat(model="m", messages=[{"role": "user", "content": text}], max_tokens=5, seed=seed,
                schema={"type": "object", "properties": {f"p{seed}": {"type": "string"}}})  # fmt: skip


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
        (reader,) = [process for process in psutil.Process().children(recursive=True)
                     if "Read_Questions" in " ".join(process.cmdline())]  # fmt: skip
        reader.kill()
        await asyncio.wait_for(ask(chat, "two"), 60)

    try:
        with pytest.raises(ConnectionError, match="engines inside Ray Data ended"):
            asyncio.run(use())
    finally:
        chat.close()


@pytest.mark.engine
@pytest.mark.timeout(300)
def test_the_packaged_model_answers_inside_ray_data(local_ray):
    """A real engine: answers follow their schemas, a greedy answer is the same twice, a prompt too long is one's own trouble."""
    source = resolve_model("package:smollm2-135m-instruct", "model")
    engine = EngineConfig(max_model_len=512, max_num_seqs=8)
    schema = {"type": "object", "properties": {"answer": {"enum": ["yes", "no"]}}, "required": ["answer"],
              "additionalProperties": False}  # fmt: skip

    def ask(text, **more):
        return chat(model="m", messages=[{"role": "user", "content": text}], **({"max_tokens": 40, "seed": 1} | more))

    async def use():
        return await asyncio.gather(
            ask("Is two even? Answer as JSON.", schema=schema),
            ask("Write a Python function that adds two numbers."),
            ask("Write a Python function that adds two numbers."),
            ask("word " * 2000),
        )

    with data_chat(Model("m", source), engine, {"HF_HUB_OFFLINE": "1"}, places=8) as chat:
        as_json, one, other, too_long = asyncio.run(use())
    assert json.loads(as_json["text"])["answer"] in {"yes", "no"} and as_json["finish_reason"] == "stop"
    assert one["text"] == other["text"] != "" and one["finish_reason"] == "length"
    assert one["completion_tokens"] == 40 and one["prompt_tokens"] > 10 and one["seconds"] > 0
    assert too_long["error"] and not too_long["text"]
