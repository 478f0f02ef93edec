"""The stage against a stub endpoint in a process of its own: how many requests stay in flight, and what memory does.

`python -m tests.codeocean.scale --rows 20000` prints one JSON object. It measures scheduling, not models: the stub answers
after a lognormal time around the mean.
"""

import argparse
import asyncio
import json
import subprocess
import sys
import tempfile
import threading
import time

import psutil
from pyarrow import fs as pafs

from codeocean.generate.flow import answer_book, generate
from codeocean.generate.round_state import RoundBook
from codeocean.generate.round_store import Rounds
from codeocean.generate.settings import GenerateConfig, RoleConfig
from codeocean.generate.tasks import load_tasks
from serve.client.chat import ChatClient
from serve.client.settings import EndpointConfig
from tests.codeocean.conftest import raw_row
from tests.codeocean.scripted import TimedChat
from tests.virtual_time import run


def measure(rows: int, concurrency: int, latency_s: float, quiet_s: float = 0.0, processes: int = 1) -> dict:
    """Figures of one run; `quiet_s` as the stub's, `processes` as `generate.processes`."""
    role = RoleConfig(model="m")
    config = GenerateConfig(generator=role, discriminator=role, round_size=4 * concurrency, concurrency=concurrency,
                            tasks={"summarization": 1}, attempts=1, processes=processes)  # fmt: skip
    stub = subprocess.Popen([sys.executable, "-m", "tests.stub_endpoint", str(latency_s), str(quiet_s)], stdin=subprocess.PIPE,
                            stdout=subprocess.PIPE, text=True)  # fmt: skip
    client = ChatClient(EndpointConfig(url=stub.stdout.readline().strip(), concurrency=concurrency))
    process, memory, finished = psutil.Process(), [], threading.Event()

    def watch():
        while not finished.wait(0.5):
            memory.append(process.memory_info().rss / 2**20)

    watcher = threading.Thread(target=watch)
    watcher.start()
    begun, cpu = time.perf_counter(), time.process_time()
    with tempfile.TemporaryDirectory() as folder:
        roles = {"generator": (client, "m"), "discriminator": (client, "m")}
        result, ledger = generate(config, load_tasks(), [raw_row(number) for number in range(rows)], roles,
                                  pafs.LocalFileSystem(), folder)  # fmt: skip
    seconds, cpu = time.perf_counter() - begun, time.process_time() - cpu
    finished.set()
    watcher.join()
    seen = json.loads(stub.communicate("")[0])
    whole = ledger.whole()
    request_s = sum(used.seconds for used in whole.used.values())
    return {
        "rows": rows, "ended": len(result.accepted) + sum(result.dropped.values()), "questions": seen["asked"],
        "most_in_flight": seen["most_in_flight"], "mean_in_flight": round(request_s / seconds), "seconds": round(seconds, 1),
        "questions_per_s": round(seen["asked"] / seconds), "cpu_ms_per_question": round(1000 * cpu / seen["asked"], 2),
        "memory_mb_at_quarters": [round(memory[len(memory) * n // 4 - (n == 4)]) for n in range(5)],
    }  # fmt: skip


def measure_overlap(rows: int, places: int, loads: int) -> dict:
    """Two engines, one for each role, with so many places each: the stage's time against two ideal phases one after the other.

    In virtual time (`tests/virtual_time.py`): it measures the scheduler's order alone, not how fast it is.

    Args:
        rows, places: as they say.
        loads: rows of a round for each place.
    """
    role = RoleConfig(model="m")
    config = GenerateConfig(generator=role, discriminator=role, round_size=loads * places, concurrency=places,
                            tasks={"summarization": 1}, attempts=1)  # fmt: skip
    raw = [raw_row(number) for number in range(rows)]
    chats = {"generator": TimedChat(5.0, 1), "discriminator": TimedChat(5.0, 2)}
    with tempfile.TemporaryDirectory() as folder:
        files = Rounds(pafs.LocalFileSystem(), folder, {row["id"]: row for row in raw})
        book = RoundBook(config, load_tasks(), raw, files)
        roles = {role: (chat, "m") for role, chat in chats.items()}
        _, seconds = run(answer_book(book, asyncio.run(book.begin()), config, roles))
    phases = {role: chat.seconds / places for role, chat in chats.items()}
    return {"seconds": round(seconds, 1), "phases": {role: round(value, 1) for role, value in phases.items()},
            "times_phases": round(sum(phases.values()) / seconds, 2),
            "at_best": round(sum(phases.values()) / max(phases.values()), 2)}  # fmt: skip


def measure_busy(rows: int, engines: int, places: int = 16, loads: int = 4) -> dict:
    """How much of what engines could do the order of questions lets them do, both roles at the same engines.

    In virtual time: neither the machine nor the scheduler's own speed plays a part. Answers take 5 s on average.

    Args:
        rows: in all. engines: of one model, behind one endpoint. places: of an engine. loads: rows of a round for each place.
    """
    role, places = RoleConfig(model="m"), engines * places
    config = GenerateConfig(generator=role, discriminator=role, round_size=loads * places, concurrency=places,
                            tasks={"summarization": 1}, attempts=1)  # fmt: skip
    raw, chat = [raw_row(number) for number in range(rows)], TimedChat(5.0, 1)
    with tempfile.TemporaryDirectory() as folder:
        book = RoundBook(
            config, load_tasks(), raw, Rounds(pafs.LocalFileSystem(), folder, {row["id"]: row for row in raw})
        )
        begun, questions = time.process_time(), asyncio.run(book.begin())
        _, seconds = run(
            answer_book(book, questions, config, dict.fromkeys(("generator", "discriminator"), (chat, "m")))
        )
        cpu = time.process_time() - begun
    start, full = chat.spans[0][0], last_full(chat.spans, places)
    before = sum(max(0.0, min(end, full) - begin) for begin, end in chat.spans)
    return {"engines": engines, "places": places, "rows": rows, "questions": len(chat.spans), "seconds": round(seconds, 1),
            "busy": round(chat.seconds / places / seconds, 3), "until_none_waits": round(before / places / (full - start), 3),
            "tail_s": round(seconds - (full - start), 1), "slowest_s": round(max(end - begin for begin, end in chat.spans), 1),
            "cpu_ms_per_question": round(1000 * cpu / len(chat.spans), 2)}  # fmt: skip


def last_full(spans: list[tuple[float, float]], places: int) -> float:
    """The last moment at which all places were in use: from then on no question waited for one."""
    asked, full = 0, 0.0
    for moment, change in sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans]):
        full = moment if asked == places and change < 0 else full
        asked += change
    return full


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20_000)
    parser.add_argument("--concurrency", type=int, default=1_000)
    parser.add_argument("--latency", type=float, default=5.0, help="mean seconds of an answer")
    parser.add_argument("--processes", type=int, default=1, help="generate.processes")
    parser.add_argument("--engines", type=int, nargs="+", help="how busy they are kept, in virtual time; nothing else")
    options = parser.parse_args()
    if options.engines:
        print(json.dumps({"busy": [measure_busy(options.rows, number) for number in options.engines]}))
        raise SystemExit
    overlap = measure_overlap(rows=2_000, places=50, loads=4)
    print(
        json.dumps(
            {"overlap": overlap} | measure(options.rows, options.concurrency, options.latency, 0.0, options.processes)
        )
    )
