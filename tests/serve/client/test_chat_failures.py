"""Failures of a key, an account, a rate and one question, over real HTTP: each ends what it should end, and nothing else."""

import asyncio
import itertools

import pytest

from core.chat import ChatRequest
from serve.client.chat import FORBIDDEN_IN_A_ROW, ChatClient
from serve.client.concurrency import Pace
from serve.client.settings import EndpointConfig
from tests.scripted_teacher import ScriptedTeacher, completion, refusal
from tests.virtual_time import run

BLOCKED = (403, "<html><title>Sorry</title>blocked</html>", {})


def ask(url, *questions, path="/v1", **settings):
    """Answers, one after another, of one client."""
    client = ChatClient(EndpointConfig(url=url + path, **({"max_retries": 1} | settings)))

    async def all_of_them():
        return [await client(ChatRequest("m", [{"role": "user", "content": text}], 5, seed=1))
                for text in questions]  # fmt: skip

    return asyncio.run(all_of_them())


def firewall(_, body):
    return BLOCKED if "DROP TABLE" in body["messages"][-1]["content"] else completion("yes")


@pytest.mark.parametrize("questions", [("a", "DROP TABLE x", "b"), ("DROP TABLE x", "a", "b")])
def test_a_403_on_one_prompt_is_that_questions_failure_even_if_it_comes_first(questions):
    with ScriptedTeacher(firewall).running() as url:
        answers = ask(url, *questions)
    for question, answer in zip(questions, answers, strict=True):
        if "DROP" in question:
            assert answer["error"].startswith("the endpoint says 403: ") and answer["blame"] == "question"
        else:
            assert answer["error"] == ""


@pytest.mark.parametrize(
    "reply", [BLOCKED, refusal(403, "no access"), refusal(401), refusal(400, code="invalid_api_key")]
)
def test_a_key_that_no_question_gets_past_ends_the_job(reply):
    teacher = ScriptedTeacher(lambda *_: reply)
    with teacher.running() as url, pytest.raises(PermissionError, match="refuses the key that it was asked without"):
        ask(url, "a")
    assert len(teacher.asked) <= 2


def test_a_key_that_is_shut_out_in_the_middle_ends_the_job_before_all_rows_are_lost():
    teacher = ScriptedTeacher(lambda number, _: completion("yes") if number <= 3 else refusal(403, "not any more"))
    with teacher.running() as url, pytest.raises(PermissionError, match="not any more"):
        ask(url, *"abc", *"d" * 50)
    assert len(teacher.asked) == 3 + FORBIDDEN_IN_A_ROW + 2


def test_many_blocked_prompts_in_a_row_are_rows_while_a_harmless_question_is_answered():
    with ScriptedTeacher(firewall).running() as url:
        answers = ask(url, *["DROP TABLE"] * 30, "a")
    assert [answer["blame"] for answer in answers] == ["question"] * 30 + [""]


@pytest.mark.parametrize(
    "half", ['{"choices": [{"mess', "", "<html><title>Request rejected</title></html>", "upstream reset before headers"]
)
def test_a_200_that_is_no_answer_is_asked_again(half):
    teacher = ScriptedTeacher(lambda number, _: completion("yes") if number > 1 else (200, half, {}))
    with teacher.running() as url:
        assert ask(url, "a")[0]["text"] == "yes"
        teacher.script = lambda *_: (200, half, {})
        answer = ask(url, "a", max_retries=0)[0]
    page = ": a web page, 'Request rejected'" if half.startswith("<") else ""
    assert (answer["error"], answer["blame"]) == (f"malformed answer{page}", "endpoint")


def test_a_model_that_is_not_there_ends_the_job_although_another_was_answered():
    def script(_, body):
        return completion("yes") if body["model"] == "m" else refusal(404, "The model `judge` does not exist")

    async def both(client):
        await client(ChatRequest("m", [], 1))
        await client(ChatRequest("judge", [], 1))

    with ScriptedTeacher(script).running() as url, pytest.raises(ValueError, match="knows no model 'judge'"):
        asyncio.run(both(ChatClient(EndpointConfig(url=f"{url}/v1"))))


@pytest.mark.parametrize(
    "reply",
    [refusal(402, "Insufficient Balance"), refusal(429, code="insufficient_quota"), refusal(200, "Insufficient credits", code=402),
     refusal(400, "Your credit balance is too low to access the API", type="invalid_request_error")],
)  # fmt: skip
def test_an_account_without_money_ends_the_job_at_once_whatever_was_answered(reply):
    teacher = ScriptedTeacher(lambda number, _: reply if number > 2 else completion("yes"))
    with teacher.running() as url, pytest.raises(PermissionError, match="used up or unpaid") as caught:
        ask(url, *"abcdef")
    assert len(teacher.asked) == 3 and "\n" not in str(caught.value)


def test_of_many_in_flight_each_is_asked_once_when_the_account_is_empty():
    teacher = ScriptedTeacher(lambda *_: refusal(402))

    async def many(client):
        return await asyncio.gather(*[client(ChatRequest("m", [], 1)) for _ in range(100)], return_exceptions=True)

    with teacher.running() as url:
        found = asyncio.run(many(ChatClient(EndpointConfig(url=f"{url}/v1", concurrency=10))))
    assert all(isinstance(error, PermissionError) for error in found)
    assert len(teacher.asked) <= 10


def test_errors_inside_a_200_are_asked_again_and_their_words_kept():
    replies = [
        refusal(200, "Provider returned error", code=502),
        refusal(200, "try later", code=429),
        completion("yes"),
    ]
    with ScriptedTeacher(lambda number, _: replies[min(number, 3) - 1]).running() as url:
        assert ask(url, "a")[0]["text"] == "yes"
    with ScriptedTeacher(lambda *_: refusal(200, "Provider fell over", code=502)).running() as url:
        answer = ask(url, "a", max_retries=0)[0]
    assert (answer["error"], answer["blame"]) == ("the endpoint says 502: Provider fell over", "endpoint")


def test_a_slow_rate_limit_never_fails_a_question_while_others_are_answered():
    teacher = ScriptedTeacher(
        lambda number, _: refusal(429, headers={"retry-after-ms": "60"}) if number % 2 else completion("yes")
    )

    async def many(client):
        return await asyncio.gather(*[client(ChatRequest("m", [], 1)) for _ in range(12)])

    with teacher.running() as url:
        client = ChatClient(EndpointConfig(url=f"{url}/v1", concurrency=1, timeout_s=0.5))
        assert [answer["error"] for answer in asyncio.run(many(client))] == [""] * 12


def test_a_rate_limit_that_never_ends_is_given_up():
    with ScriptedTeacher(lambda *_: refusal(429)).running() as url:
        answer = ask(url, "a", timeout_s=1.0)[0]
    assert (answer["error"], answer["blame"]) == ("the endpoint says 429: no", "endpoint")


def test_refusals_without_a_time_are_asked_ever_more_seldom():
    """In virtual time, many questions: in each minute fewer requests than in the one before, until one a minute."""
    begun = []

    async def question(pace):
        for _ in range(100):
            async with pace.turn() as began:
                begun.append(began)
            pace.refused(began)

    async def ten_minutes():
        pace = Pace(64, asyncio.get_running_loop().time)
        tasks = [asyncio.create_task(question(pace)) for _ in range(64)]
        await asyncio.sleep(600)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(ten_minutes())
    minutes = [len(list(group)) for _, group in itertools.groupby(begun, lambda at: (at - begun[0]) // 60)]
    assert minutes[0] < 64 * 3 and max(minutes[3:]) <= 2
    assert minutes[:3] == sorted(minutes[:3], reverse=True)


def test_an_answer_ends_the_growth_of_pauses():
    async def pauses():
        pace, seconds = Pace(4, asyncio.get_running_loop().time), []
        for well in (False, False, False, True, False):
            async with pace.turn() as began:
                pass
            loop_time = asyncio.get_running_loop().time()
            pace.went_well(began) if well else pace.refused(began)
            async with pace.turn():
                seconds.append(asyncio.get_running_loop().time() - loop_time)
        return seconds

    first, second, third, none, again = run(pauses())[0]
    assert 0.3 < first < second < third
    assert none == 0 and again < 1


@pytest.mark.parametrize("key", ["s3cret\n", " s3cret\r\n", "\ts3cret"])
def test_a_key_may_have_blanks_around_it(key, monkeypatch):
    monkeypatch.setenv("SOME_KEY", key)
    teacher = ScriptedTeacher(lambda *_: completion("yes"))
    with teacher.running() as url:
        assert ask(url, "a", api_key_env="SOME_KEY")[0]["text"] == "yes"
    assert teacher.headers[0]["Authorization"] == "Bearer s3cret"


@pytest.mark.parametrize("key", ["s3\ncret", "s3 cret", "schlüssel", "s3\x00cret"])
def test_a_key_that_no_header_can_carry_is_one_line_before_anything_is_asked(key, monkeypatch):
    monkeypatch.setattr("os.environ", {"SOME_KEY": key})
    with pytest.raises(PermissionError, match=r"\$SOME_KEY holds blanks") as caught:
        ask("http://127.0.0.1:9", "a", api_key_env="SOME_KEY")
    assert key not in str(caught.value)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v1", "/v1/chat/completions"),
        ("/v1/", "/v1/chat/completions"),
        (
            "/openai/deployments/d?api-version=2026-01-01",
            "/openai/deployments/d/chat/completions?api-version=2026-01-01",
        ),
        ("/v1/?team=a&x=1", "/v1/chat/completions?team=a&x=1"),
        ("/v1/chat/completions", "/v1/chat/completions"),
        ("/v1/chat/completions?x=1#part", "/v1/chat/completions?x=1"),
    ],
)
def test_a_query_stays_behind_the_path(path, expected):
    teacher = ScriptedTeacher(lambda *_: completion("yes"))
    with teacher.running() as url:
        assert ask(url, "a", path=path)[0]["text"] == "yes"
    assert teacher.paths == [expected]
