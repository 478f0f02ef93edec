"""A small run with every kind of row, written as the stages write it."""

import json
import socket
import threading
import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import uvicorn

from codeocean.records import CORESET, GENERATIONS, INSTANCES, PROOFS, RAW_CODE, VERDICTS, embeddings_schema
from tests.browser import browsing

NASTY = "<img src=x onerror=window.hacked=1></pre><script>window.hacked=1</script>"


def write(root, path, schema, rows) -> None:
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pylist([{name: row.get(name) for name in schema.names} for row in rows], schema=schema)
    pq.write_table(table, root / path)


def make_run(root, rows: int = 8):
    """Row n: kept (0 to 2), dropped with a reason of the export (3), rejected (4), failed (5), not judged (6), retried (7)."""
    raw, coreset, generations, verdicts, embedded = [], [], [], [], []
    for n in range(rows):
        language, terms = ("python", "MIT") if n % 2 == 0 else ("go", "")
        raw.append({"id": f"r{n}", "language": language, "code": f"code {n} {NASTY if n == 0 else ''}",
                    "docstring": f"Documentation 100%_{n}.", "license": terms, "path": f"p{n}"})  # fmt: skip
        coreset.append({"rank": n, "id": f"r{n}", "radius": 1.0 / n if n else float("inf")})
        embedded.append({"id": f"r{n}", "embedding": [1.0, n / rows, 0.0, float(n % 2)]})
        made = {"id": f"g{n}", "raw_id": f"r{n}", "task": "repair" if n < 4 else "generation", "attempt": 0, "round": n // 4,
                "instruction": f"Instruction {n} {NASTY if n == 0 else ''}", "information": "", "solution": f"solution {n}",
                "target_language": "", "error": "not JSON" if n == 5 else "", "shots": []}  # fmt: skip
        if n == 7:
            generations.append(made | {"id": "g7-first", "error": "truncated", "solution": ""})
            made["attempt"] = 1
        generations.append(made)
        if n not in (5, 6):
            answer = "no" if n == 4 else "yes"
            rules = [{"rule": "faithful", "reason": f"because {n}", "answer": answer}]
            verdicts.append({"id": f"g{n}", "rules": rules, "overall": answer, "error": ""})
    write(root, "collect/part-00000.parquet", RAW_CODE, raw)
    write(root, "select/coreset.parquet", CORESET, coreset)
    write(root, "embed/part-00000.parquet", embeddings_schema(4, pa.float16()), embedded)
    for number in range(2):
        part = [row for row in generations if row["round"] == number]
        ids = {row["id"] for row in part}
        write(root, f"generate/round-{number:05d}/generations.parquet", GENERATIONS, part)
        write(root, f"generate/round-{number:05d}/verdicts.parquet", VERDICTS, [v for v in verdicts if v["id"] in ids])
    tests = json.dumps([{"arguments": [1, "a"], "expected": [2]}, {"assertion": "assert f(0) is None"}])
    found = {
        "outcomes": ["PF", "PP"],
        "errors": [[], []],
        "chosen": [1],
        "kills": [1, 0],
        "by_value": True,
        "ended": "passed",
    }
    proved = [{"raw_id": "r0", "tests": tests, "refused": json.dumps({"too large": 2}), "error": "", "solutions": 2,
               "found": json.dumps(found)}]  # fmt: skip
    write(root, "generate/round-00000/proofs.parquet", PROOFS, proved)
    kept = [{"id": f"g{n}", "raw_id": f"r{n}", "task": "repair", "language": "python", "instruction": "", "input": "", "output": "",
             "provenance": "{}", "tests": tests, "proof": "tests" if n == 0 else "parses"} for n in range(3)]  # fmt: skip
    write(root, "codeocean/part-00000.parquet", INSTANCES, kept)
    dropped = pa.schema([("id", pa.string()), ("reason", pa.string())])
    write(root, "codeocean/dropped.parquet", dropped, [{"id": "g3", "reason": "duplicate instance"}])
    return root


@pytest.fixture
def run(tmp_path):
    return make_run(tmp_path / "it's a run")


@pytest.fixture
def serve_app():
    """Serves an explorer's application in a thread; returns the page's URL."""
    running = []

    def start(server):
        listener = socket.create_server(("127.0.0.1", 0))
        engine = uvicorn.Server(uvicorn.Config(server.app(), log_level="error", lifespan="off", ws="none"))
        thread = threading.Thread(target=engine.run, args=([listener],), daemon=True)
        thread.start()
        running.append((engine, thread))
        while not engine.started:
            time.sleep(0.01)
        return f"http://127.0.0.1:{listener.getsockname()[1]}/{server.secret}/"

    yield start
    for engine, thread in running:
        engine.should_exit = True
        thread.join(10)


@pytest.fixture
def browse(tmp_path):
    """Runs a coroutine function with a tab that shows a URL."""
    with browsing(tmp_path, "document.querySelectorAll('#facets select').length > 1") as visit:
        yield visit
