"""Scheduling and resume, with a chat of our own at our own seam; a real endpoint is in tests/ray_jobs."""

import pytest
from pyarrow import fs as pafs

from eval.answers.sources import EndpointAnswers
from eval.flow import compare, evaluate, load_problems
from eval.settings import EvaluateConfig

CONFIG = EvaluateConfig(limit=6, timeout_s=20.0, concurrency=1)


class ScriptedChat:
    """Answers even problems with the canonical solution and odd ones with nonsense; dies at the question `dies_at`."""

    def __init__(self, dies_at=None, error="400: long"):
        self.asked, self.dies_at, self.error = 0, dies_at, error
        self.solutions = {problem.instruction: problem for problem in load_problems(CONFIG)[0].problems}

    async def __call__(self, request):
        if self.asked == self.dies_at:
            raise ConnectionError("gone")
        self.asked += 1
        problem = self.solutions[request.messages[-1]["content"]]
        number = int(problem.task_id.split("/")[1])
        refused = number == 5 or self.dies_at == -1
        text = f"```python\n{problem.declaration}{problem.reference}\n```" if number % 2 == 0 else "I cannot."
        return {"text": "" if refused else text, "finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1,
                "error": self.error if refused else "", "blame": "question" if refused else ""}  # fmt: skip


pytestmark = pytest.mark.usefixtures("local_ray")


def scores_in(folder, chat, config=CONFIG):
    sets, fs = load_problems(config), pafs.LocalFileSystem()
    (result,), tables = evaluate(config, sets, answers=EndpointAnswers(config, chat, "m"), label="base", fs=fs,
                                 folder=str(folder))  # fmt: skip
    return {name: value for name, value in result.items() if name != "seconds"}, tables


@pytest.mark.slow
def test_cut_off_evaluation_goes_on_where_it_was(tmp_path):
    undisturbed, tables = scores_in(tmp_path / "whole", ScriptedChat())
    assert undisturbed["n"] == 6
    assert undisturbed["pass_at_1"] == 0.5
    assert undisturbed["outcomes"]["refused"] == 1
    assert undisturbed["isolation"] == "namespaces"
    assert undisturbed["settings"]["seed"] == 0 and len(undisturbed["problems_digest"]) == 64
    with pytest.raises(ConnectionError):
        scores_in(tmp_path / "cut", ScriptedChat(dies_at=3))
    chat = ScriptedChat()
    resumed, again = scores_in(tmp_path / "cut", chat)
    assert resumed == undisturbed
    assert again["humaneval"].drop(["seconds"]).equals(tables["humaneval"].drop(["seconds"]))
    assert chat.asked == 3  # those that were answered before the endpoint died are not asked again
    chat = ScriptedChat()
    assert scores_in(tmp_path / "cut", chat)[0] == undisturbed
    assert chat.asked == 1  # the refused one is asked again, nothing else
    more = CONFIG.model_copy(update={"limit": 4})
    assert scores_in(tmp_path / "cut", chat, more)[0]["n"] == 4
    assert chat.asked == 1
    assert compare(tables, again, ("a", "b"), 0)[0]["difference"] == 0.0


def test_an_endpoint_that_refuses_everything_is_no_score_of_zero(tmp_path):
    with pytest.raises(ValueError, match="refused every question of humaneval: 400: long"):
        scores_in(tmp_path, ScriptedChat(dies_at=-1))
