"""`code_reward` over HTTP: for trainers on machines that have no sandbox. Speaks `/reward` of the reward server."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from eval.reward.rewards import Completion, Rewards, samples_of

SENT = ("completion", "tests", "language", "entry_point", "prompt", "declaration")


def remote_code_reward(
    url: str, key: str, *, samples_a_request: int = 64, patience_s: float = 600.0
) -> Callable[..., Rewards]:
    """A reward function as `eval.reward.code_reward`, judged by a server.

    Args:
        url: of the server, such as http://127.0.0.1:8900.
        key: its key.
        samples_a_request: how many go together.
        patience_s: how long it is tried while the server is full or not there.

    Raises:
        ValueError: the URL is none, or the server refuses a request for good.
        ConnectionError: the server is still full or not there.
    """
    if not url.startswith(("http://", "https://")):
        raise ValueError(f"the reward server's URL is {url!r}; it begins with http:// or https://")

    def code_reward(prompts: Sequence[Any], completions: Sequence[Completion], **columns: Any) -> Rewards:
        samples = samples_of(prompts, completions, columns)
        asked = [(place, {name: asdict(sample)[name] for name in SENT})
                 for place, sample in enumerate(samples) if sample is not None]  # fmt: skip
        rewards: Rewards = [None] * len(samples)
        for start in range(0, len(asked), samples_a_request):
            part = asked[start : start + samples_a_request]
            for (place, _), answer in zip(part, post(url, key, [body for _, body in part], patience_s), strict=True):
                rewards[place] = answer["reward"]
        return rewards

    return code_reward


def post(url: str, key: str, bodies: list[dict[str, Any]], patience_s: float) -> list[dict[str, Any]]:
    """The answers to a list of `/reward` requests; waits as the server says while it is full."""
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}
    request = urllib.request.Request(f"{url.rstrip('/')}/reward", json.dumps(bodies).encode(), headers)  # noqa: S310
    until = time.monotonic() + patience_s
    while True:
        try:
            with urllib.request.urlopen(request, timeout=patience_s) as answer:  # noqa: S310 - http or https
                found: list[dict[str, Any]] = json.loads(answer.read())
                return found
        except urllib.error.HTTPError as error:
            with error:
                said, wait = error.read().decode("utf-8", "replace")[:500], error.headers.get("retry-after", "1")
            if error.code not in {429, 503}:
                raise ValueError(f"the reward server at {url} answers {error.code}: {said}") from None
            pause = float(wait) if wait.isdigit() else 1.0
        except (urllib.error.URLError, ConnectionError, TimeoutError) as error:
            said, pause = str(error), 1.0
        if time.monotonic() + pause > until:
            raise ConnectionError(f"the reward server at {url} does not answer: {said}")
        time.sleep(pause)
