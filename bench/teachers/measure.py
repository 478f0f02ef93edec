"""One odd teacher over real HTTP: what of its right answers is used, and whether its bill is ours."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any

from pyarrow import fs as pafs

from bench.teachers.endpoint import ScriptedEndpoint
from bench.teachers.newer import NEWER
from bench.teachers.odd import CACHE_WRITE, CACHED, COMPLETION, OLDER, PROMPT, Bill, settings_of
from codeocean.generate.flow import generate
from codeocean.generate.ledger import token_cost
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from codeocean.teachers import PriceConfig
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig

PRICE = PriceConfig(prompt=PROMPT, completion=COMPLETION, cached=CACHED, cache_write=CACHE_WRITE)
ROLE = RoleConfig(model="m", price=PRICE, max_tokens=512)
CONFIG = GenerateConfig(generator=ROLE, discriminator=ROLE, tasks={"summarization": 1}, concurrency=16)

TEACHERS = OLDER | NEWER

BARS = {"used": 0.99, "cost_error": 0.02}


def rows_of(number: int) -> list[dict[str, Any]]:
    """RAW_CODE rows that differ."""
    blank = dict.fromkeys(("name", "repository", "path", "url", "license", "split", "source"), "")
    blank |= {"language": "python", "docstring": "Add two numbers."}
    return [
        blank | {"id": f"{each:016x}", "code": f"def add_{each}(a, b):\n    return a + b + {each}"}
        for each in range(number)
    ]


def measure(name: str, rows: int) -> dict[str, Any]:
    """One teacher: what was used of its answers, its bill and ours."""
    bill, begun = Bill(3), time.perf_counter()
    endpoint = ScriptedEndpoint(lambda number, body: TEACHERS[name](bill, number, body))
    found: dict[str, Any] = {"rows": rows, "fatal": ""}
    with tempfile.TemporaryDirectory() as folder, endpoint.running() as url:
        config = EndpointConfig(url=f"{url}/v1", concurrency=16, **settings_of(name, Path(folder)))
        client = ChatClient(config)
        roles = {"generator": (client, "m"), "discriminator": (client, "m")}
        try:
            result, ledger = generate(
                CONFIG.model_copy(update={"round_size": max(10, rows // 4)}), load_tasks(), rows_of(rows), roles,
                pafs.LocalFileSystem(), str(Path(folder) / "run"),
            )  # fmt: skip
        except (ValueError, OSError) as error:
            return found | {"fatal": str(error), "used": 0.0, "cost_error": 1.0}
    right = rows - len(bill.refused)
    ours = token_cost(ledger.whole(), {"generator": ROLE, "discriminator": ROLE})
    return found | {
        "right": right,
        "used": round(len(result.accepted) / right, 4),
        "dropped": dict(result.dropped),
        "asked": len(endpoint.asked),
        "learnt": client.learnt.get("m", []),
        "cost": round(ours, 6),
        "cost_of_its_own": round(bill.cost, 6),
        "cost_error": round(abs(ours - bill.cost) / bill.cost, 5),
        "seconds": round(time.perf_counter() - begun, 1),
    }
