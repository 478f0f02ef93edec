"""A chat at our own seam: answers that depend on the question alone, in an order that depends on a seed."""

import asyncio
import json
import math
import random

from codeocean.generate.few_shot import draw_number

USED = {"prompt_tokens": 100, "cached_tokens": 80, "completion_tokens": 10, "seconds": 0.01}


class Killed(Exception):
    """The process ends here."""


class SeededChat:
    """Answers both roles after a random time; some answers are rubbish, some verdicts negative, all by the seed asked.

    Dies at the `dies_at`-th question: what was not kept until then is lost.
    """

    def __init__(self, order: int = 0, dies_at: int | None = None) -> None:
        self.dice, self.dies_at = random.Random(order), dies_at
        self.asked, self.in_flight, self.most_in_flight = [], 0, 0

    async def __call__(self, request):
        self.asked.append((request.seed, json.dumps(request.messages)))
        if self.dies_at is not None and len(self.asked) >= self.dies_at:
            raise Killed
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        for _ in range(self.dice.choice((0, 1, 2, 5, 20))):
            await asyncio.sleep(0)
        self.in_flight -= 1
        return USED | {"text": text_for(request.seed, request.schema), "finish_reason": "stop", "error": ""}


class TimedChat:
    """Answers after lognormal times around a mean; adds them up. For `tests/virtual_time.py`."""

    def __init__(self, mean_s: float, seed: int) -> None:
        self.mean_s, self.dice, self.seconds, self.spans = mean_s, random.Random(seed), 0.0, []

    async def __call__(self, request):
        seconds = self.mean_s * math.exp(self.dice.gauss(-0.125, 0.5))
        self.seconds += seconds
        begun = asyncio.get_running_loop().time()
        self.spans.append((begun, begun + seconds))
        await asyncio.sleep(seconds)
        return USED | {"text": text_for(request.seed, request.schema), "finish_reason": "stop", "error": ""}


def text_for(seed: int, schema: dict) -> str:
    if draw_number("rubbish", seed) % 5 == 0:
        return "no JSON"
    if "overall" in schema["properties"]:
        good = draw_number("good", seed) % 3 > 0
        rules = [name for name in schema["properties"] if name != "overall"]
        answer = {"reason": f"Reason number {seed} of this rule.", "answer": "yes" if good else "no"}
        return json.dumps(dict.fromkeys(rules, answer) | {"overall": "yes" if good else "no"})
    return json.dumps({
        "task_name": "x",
        "instruction": f"Explain what number {seed} does.",
        "information": f"def number_{seed}(): return {seed}",
        "solution": f"It adds the two numbers that it is given and then also adds the number {seed} to them.",
    })  # fmt: skip
