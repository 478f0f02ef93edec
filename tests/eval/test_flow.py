"""Scheduling and resume, with a chat of our own at our own seam; the real endpoint is in tests/ray_jobs."""

import pytest
from pyarrow import fs as pafs

from eval.flow import evaluate
from eval.humaneval import load_humaneval
from eval.settings import EvaluateConfig

CONFIG = EvaluateConfig(limit=6, part_size=2, timeout_s=20.0)


class ScriptedChat:
    """Answers even problems with the canonical solution and odd ones with nonsense; dies at the question `dies_at`."""

    def __init__(self, dies_at=None):
        self.asked, self.dies_at = 0, dies_at
        self.solutions = {problem.prompt.rstrip(): problem for problem in load_humaneval()[0]}

    async def __call__(self, *, model, messages, max_tokens, temperature, seed):
        if self.asked == self.dies_at:
            raise ConnectionError("gone")
        self.asked += 1
        prompt = messages[-1]["content"].split("```python\n")[1].removesuffix("\n```")
        problem = self.solutions[prompt]
        number = int(problem.task_id.split("/")[1])
        if number == 5:
            return {
                "text": "",
                "finish_reason": "error",
                "prompt_tokens": 0,
                "completion_tokens": 0,
                "error": "400: long",
            }
        text = f"```python\n{problem.prompt}{problem.canonical_solution}\n```" if number % 2 == 0 else "I cannot."
        return {"text": text, "finish_reason": "stop", "prompt_tokens": 1, "completion_tokens": 1, "error": ""}


pytestmark = pytest.mark.usefixtures("local_ray")


def scores_in(folder, chat):
    return evaluate(CONFIG, chat=chat, model="m", label="base", fs=pafs.LocalFileSystem(), folder=str(folder))


@pytest.mark.slow
def test_cut_off_evaluation_goes_on_behind_its_last_part(tmp_path):
    undisturbed = scores_in(tmp_path / "whole", ScriptedChat())
    assert undisturbed["n"] == 6
    assert undisturbed["pass_at_1"] == 0.5
    assert undisturbed["outcomes"]["refused"] == 1
    with pytest.raises(ConnectionError):
        scores_in(tmp_path / "cut", ScriptedChat(dies_at=3))
    first = next((tmp_path / "cut").glob("base-part-00000.parquet"))
    finished = first.stat().st_mtime_ns
    chat = ScriptedChat()
    assert scores_in(tmp_path / "cut", chat) == undisturbed
    assert chat.asked == 4
    assert first.stat().st_mtime_ns == finished


@pytest.mark.slow
def test_damaged_part_is_done_again(tmp_path):
    expected = scores_in(tmp_path, ScriptedChat())
    (tmp_path / "base-part-00001.parquet").write_bytes(b"damaged")
    chat = ScriptedChat()
    assert scores_in(tmp_path, chat) == expected
    assert chat.asked == 2
