"""A whole generation over real HTTP with teachers that refuse, block, run dry and come back."""

import pytest
from pyarrow import fs as pafs

from codeocean.generate.flow import generate
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tally import ENOUGH_TO_TELL
from codeocean.generate.tasks import load_tasks
from codeocean.teachers import failed_alike
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from tests.codeocean.conftest import raw_row
from tests.scripted_teacher import ScriptedTeacher, completion, exercise, refusal

ROLE = RoleConfig(model="m")
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, round_size=20, tasks={"summarization": 1}, concurrency=8)
TASKS = load_tasks()


def run(folder, url, rows=40, config=CONFIG, **endpoint):
    client = ChatClient(EndpointConfig(url=f"{url}/v1", **({"max_retries": 0, "concurrency": 8} | endpoint)))
    roles = {"generator": (client, "m"), "discriminator": (client, "m")}
    code = [raw_row(number) for number in range(rows)]
    return generate(config, TASKS, code, roles, pafs.LocalFileSystem(), str(folder)), client


def good(_, body):
    return completion(exercise(body))


def test_an_account_that_runs_dry_ends_the_job_and_every_answer_is_kept_and_none_asked_twice(tmp_path):
    dry = ScriptedTeacher(
        lambda number, body: good(number, body) if number <= 30 else refusal(402, "Insufficient Balance")
    )
    with dry.running() as url, pytest.raises(PermissionError, match="Insufficient Balance"):
        run(tmp_path / "cut", url)
    assert len(dry.asked) <= 30 + CONFIG.concurrency
    paid, other = ScriptedTeacher(good), ScriptedTeacher(good)
    with paid.running() as url:
        (result, _), _ = run(tmp_path / "cut", url)
    with other.running() as url:
        (whole, _), _ = run(tmp_path / "whole", url)
    assert result.accepted == whole.accepted and not result.dropped.keys() - whole.dropped.keys()
    assert len(paid.asked) == len(other.asked) - 30


def test_a_blocked_prompt_is_one_row_and_is_asked_again_on_the_next_run(tmp_path):
    blocked = "return a + b + 7"

    def firewall(number, body):
        if blocked in body["messages"][-1]["content"]:
            return 403, "<html><title>Attention</title></html>", {}
        return good(number, body)

    with ScriptedTeacher(firewall).running() as url:
        (result, _), _ = run(tmp_path, url)
    assert result.dropped["no answer: the endpoint says 403"] == 1
    again = ScriptedTeacher(good)
    with again.running() as url:
        (result, _), _ = run(tmp_path, url)
    assert 1 <= len(again.asked) <= 2 and "no answer: the endpoint says 403" not in result.dropped


def test_rows_that_all_failed_alike_are_an_error_with_the_endpoints_words_and_stay_open(tmp_path):
    teacher = ScriptedTeacher(lambda *_: refusal(400, "This deployment is asleep"))
    with teacher.running() as url, pytest.raises(ValueError, match=r"40 of 40 rows failed alike: no answer: the endpoint says 400 "
                                                                   r"\(the endpoint says 400: This deployment is asleep\)"):  # fmt: skip
        run(tmp_path, url)
    assert len(teacher.asked) == 40  # what is refused is not asked again at once
    with ScriptedTeacher(good).running() as url:
        (result, _), _ = run(tmp_path, url)
    assert len(result.accepted) > 10


def test_a_long_generation_does_not_go_on_when_everything_is_refused(tmp_path):
    teacher = ScriptedTeacher(lambda *_: refusal(400, "This deployment is asleep"))
    with teacher.running() as url, pytest.raises(ValueError, match="failed alike"):
        run(tmp_path, url, rows=400, config=CONFIG.model_copy(update={"round_size": 400}))
    assert len(teacher.asked) <= ENOUGH_TO_TELL + CONFIG.concurrency


def test_answers_of_no_use_are_an_error_too(tmp_path):
    with (
        ScriptedTeacher(lambda *_: completion("{}")).running() as url,
        pytest.raises(ValueError, match="failed alike: wrong fields"),
    ):
        run(tmp_path, url)


def test_thinking_is_kept_beside_the_row_and_counted_and_gets_more_room(tmp_path):
    def thinker(_, body):
        if body["max_tokens"] < 1024:
            usage = {
                "prompt_tokens": 10,
                "completion_tokens": 512,
                "completion_tokens_details": {"reasoning_tokens": 512},
            }
            return completion(None, "length", usage, reasoning_content="so much to think")
        usage = {"prompt_tokens": 10, "completion_tokens": 30, "completion_tokens_details": {"reasoning_tokens": 20}}
        return completion(f"<think>Let me see.</think>\n{exercise(body)}", usage=usage)

    with ScriptedTeacher(thinker).running() as url:
        (result, ledger), _ = run(tmp_path, url)
    assert len(result.accepted) > 10
    used = ledger.whole().used["generator"]
    assert used.failures["truncated"] == 40 and used.reasoning_tokens == 40 * 532
    for generation, verdict in result.accepted:
        assert generation["reasoning"] == verdict["reasoning"] == "Let me see."
        assert "think" not in generation["solution"] + generation["raw_text"]


@pytest.mark.parametrize(
    ("failed", "rows", "share", "expected"),
    [
        ({}, 10, 0.95, ""),
        ({"a": 9}, 10, 0.95, ""),
        ({"a": 19, "b": 1}, 20, 0.95, "19 of 20 rows failed alike: a (words)"),
        ({"a": 19, "b": 1}, 20, 1.0, ""),
        ({"a": 1}, 1, 1.0, "1 of 1 rows failed alike: a (words)"),
        ({"a": 3}, 0, 0.5, ""),
    ],
)
def test_when_rows_failed_alike(failed, rows, share, expected):
    assert failed_alike(failed, {"a": "words\n"}, rows, share) == expected
