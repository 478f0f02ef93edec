"""Rows that repeat a benchmark are found, by words and by meaning, and agree with a literal search."""

import gzip
import json
import re
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codeocean.decontaminate.benchmark_problems import BenchmarkText, benchmark_digest, read_benchmark
from codeocean.decontaminate.leakage import REASONS, Chunk, DecontaminateConfig, find_leakage
from codeocean.decontaminate.ngrams import MIN_GRAMS, NgramIndex, words
from ray_jobs.run.config import load_config
from ray_jobs.run.leakage import benchmark_texts

HUMANEVAL = benchmark_texts(load_config("configs/demo.yaml", []), "raw code")
WORD = st.sampled_from(["a", "b", "c", "d"])


def literal_share(text: str, problem: BenchmarkText, n: int) -> float:
    """The definition, with Python's sets."""

    def grams(tokens):
        return {tuple(tokens[start : start + n]) for start in range(len(tokens) - n + 1)}

    pieces = [words(problem.statement), words(problem.solution)]
    if min(map(len, pieces)) < n + MIN_GRAMS - 1:
        pieces = [pieces[0] + pieces[1]]
    held = grams(words(text))
    return max((len(held & grams(piece)) / len(grams(piece)) for piece in pieces if grams(piece)), default=0.0)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(WORD, min_size=3, max_size=40), min_size=1, max_size=5),
    st.lists(st.tuples(st.lists(WORD, min_size=4, max_size=30), st.lists(WORD, max_size=30)), min_size=1, max_size=4),
)
def test_overlaps_are_those_of_a_literal_search(texts, pairs):
    problems = [BenchmarkText("x", str(n), " ".join(a), " ".join(b)) for n, (a, b) in enumerate(pairs)]
    texts = [" ".join(text) for text in texts]
    found = {(int(r), int(p)): s for r, p, s in zip(*NgramIndex(problems, 3).overlaps(texts), strict=True)}
    for row, text in enumerate(texts):
        for number, problem in enumerate(problems):
            assert found.get((row, number), 0.0) == pytest.approx(literal_share(text, problem, 3))


def renamed(code: str) -> str:
    """The same text to a reader: other spaces, comment marks, case."""
    return "# " + re.sub(r"\s+", "\n  ", code).upper()


def test_every_problem_of_humaneval_is_found_whole_in_part_and_reformatted():
    index = NgramIndex(HUMANEVAL, 8)
    for make in (
        lambda p: f"{p.statement}\n{p.solution}",
        lambda p: renamed(f"{p.statement}\n{p.solution}"),
        lambda p: f"Some words before. {p.statement}",
    ):
        rows, owners, shares = index.overlaps([make(problem) for problem in HUMANEVAL])
        own = {int(row): share for row, owner, share in zip(rows, owners, shares, strict=True) if row == owner}
        assert min(own.get(number, 0.0) for number in range(len(HUMANEVAL))) > 0.3


def chunk(texts, vectors, start=0):
    return Chunk([f"r{start + n}" for n in range(len(texts))], texts, np.asarray(vectors, np.float32))


PROBLEMS = [BenchmarkText("b", "0", "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen", ""),
            BenchmarkText("b", "1", "red green blue", "print(color)")]  # fmt: skip
VECTORS = np.array([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0]])


def test_each_rule_gives_its_reason_and_rows_go_on_without_one():
    texts = ["x one two three four five six seven eight nine ten eleven y", "near", "far", "nearest to 1"]
    vectors = [[0, 0, 1], [9, 1, 0], [1, 1, 9], [0, 1, 1]]
    found = find_leakage(DecontaminateConfig(ngram=4, drop_nearest=1), PROBLEMS, VECTORS, [chunk(texts, vectors)])
    assert found.reasons == {0: REASONS[0], 1: REASONS[1], 3: REASONS[2]}
    assert found.dropped == {REASONS[0]: 1, REASONS[1]: 1, REASONS[2]: 1}
    rows = found.pairs.to_pylist()
    assert {row["row"]: row["reason"] for row in rows} == {
        "r0": REASONS[0],
        "r1": REASONS[1],
        "r2": "",
        "r3": REASONS[2],
    }
    assert (rows[0]["row"], rows[0]["rank"]) == ("r1", 0)
    assert rows[0]["similarity"] == pytest.approx(9 / 82**0.5)
    assert found.details()["b"]["problems"] == 2


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 60), st.integers(1, 5), st.integers(0, 4), st.integers(0, 10_000))
def test_the_nearest_rows_are_those_of_a_full_sort_however_rows_come(num_rows, num_problems, drop, seed):
    dice = np.random.default_rng(seed)
    x, problems_MD = dice.normal(size=(num_rows, 4)).astype(np.float32), dice.normal(size=(num_problems, 4))
    problems = [BenchmarkText("b", str(n), "s", "t") for n in range(num_problems)]
    config = DecontaminateConfig(drop_nearest=drop, max_similarity=1.5)
    cuts = sorted({0, num_rows, *dice.integers(0, num_rows + 1, 3).tolist()})
    chunks = [chunk(["" for _ in range(a, b)], x[a:b], a) for a, b in pairwise(cuts)]
    found = find_leakage(config, problems, problems_MD, chunks)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    order = np.argsort(-(problems_MD / np.linalg.norm(problems_MD, axis=1, keepdims=True)) @ unit.T, 1, kind="stable")
    assert set(found.reasons) == set(order[:, :drop].flatten().tolist())
    ranks = {(row["problem"], row["rank"]): row["row"] for row in found.pairs.to_pylist() if row["rank"] < 3}
    assert ranks == {(str(m), k): f"r{order[m, k]}" for m in range(num_problems) for k in range(min(3, num_rows))}


def test_texts_are_cut_and_no_row_is_counted_twice():
    texts = ["one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen " * 100] * 2
    found = find_leakage(DecontaminateConfig(), PROBLEMS, VECTORS, [chunk(texts, [[1, 0, 0]] * 2)])
    assert found.reasons == {0: REASONS[0], 1: REASONS[0]}
    assert max(len(row["row_text"]) for row in found.pairs.to_pylist()) == 600


RECORDS = {
    "mbpp": {"text": "Write a function.", "code": "def f(): pass", "task_id": 11},
    "pack": {"task_id": "JavaScript/0", "prompt": "/* p */", "docstring": "Check.", "declaration": "const f = () => {\n",
             "canonical_solution": "  return 1;\n}"},
}  # fmt: skip


@pytest.mark.parametrize("packed", [False, True])
def test_benchmark_files_are_read_by_their_fields(tmp_path, packed):
    for name, record in RECORDS.items():
        content = (json.dumps(record) + "\n\n").encode()
        (tmp_path / f"{name}.jsonl").write_bytes(gzip.compress(content) if packed else content)
    (mbpp,) = read_benchmark("mbpp", str(tmp_path / "mbpp.jsonl"))
    (pack,) = read_benchmark("pack", str(tmp_path / "pack.jsonl"))
    assert (mbpp.problem, mbpp.statement, mbpp.solution) == ("11", "Write a function.", "def f(): pass")
    assert (pack.statement, pack.solution) == ("Check.", "const f = () => {\n  return 1;\n}")
    assert benchmark_digest([mbpp]) != benchmark_digest([pack])


LATER = {
    "livecodebench": ({"question_title": "T", "question_content": "Sum the lines.", "question_id": "abc_a",
                       "starter_code": "", "public_test_cases": "x" * 8_200_000}, ("abc_a", "Sum the lines.", "")),
    "cruxeval": ({"code": "def f(a): return a", "input": "1", "output": "1", "id": "sample_3"},
                 ("sample_3", "1", "def f(a): return a")),
    "multiple": ({"name": "HumanEval_3_f", "language": "rs", "prompt": "/// Say so.\nfn f() {\n", "tests": "}",
                  "stop_tokens": []}, ("HumanEval_3_f", "/// Say so.\nfn f() {\n", "")),
    "bigcodebench": ({"task_id": "BigCodeBench/3", "complete_prompt": "def task_func():\n", "instruct_prompt": "Do it.",
                      "canonical_solution": "    return 1"}, ("BigCodeBench/3", "def task_func():\n", "    return 1")),
    "ds1000": ({"prompt": "Given a frame.", "reference_code": "df.sum()", "metadata": {}}, ("1", "Given a frame.", "df.sum()")),
}  # fmt: skip


@pytest.mark.parametrize("name", LATER)
@pytest.mark.parametrize("form", ["jsonl", "parquet"])
def test_benchmarks_that_came_later_are_known_by_their_fields(tmp_path, name, form):
    record, wanted = LATER[name]
    path = tmp_path / f"{name}.{form}"
    if form == "parquet":
        pq.write_table(
            pa.Table.from_pylist([{key: value for key, value in record.items() if value not in ({}, [])}] * 2), path
        )
    else:
        path.write_text((json.dumps(record) + "\n") * 2)
    first, second = read_benchmark(name, str(path))
    assert (first.problem, first.statement, first.solution) == wanted
    assert second.statement == first.statement


@pytest.mark.parametrize(
    "content", [b"", b"[1]\n", b"{\n", b'{"text": 1, "code": "x"}\n', b"\x1f\x8bnot gzip", b"\xff\xfe\n"]
)
def test_a_file_that_is_no_benchmark_is_one_clear_line(tmp_path, content):
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(ValueError, match=r"decontaminate\.files\.mine") as caught:
        read_benchmark("mine", str(tmp_path / "x.jsonl"))
    assert "\n" not in str(caught.value)
    with pytest.raises(FileNotFoundError, match=r"decontaminate\.files\.mine"):
        read_benchmark("mine", str(tmp_path / "none.jsonl"))
