"""A folder of benchmarks of the user's own is asked like the package's, and what is wrong with one is a line."""

import json

import pytest

from eval.benchmarks.catalogue import folder_digest, known_benchmarks, load_benchmarks
from eval.settings import EvaluateConfig

OWN = """
from eval.problems import Benchmark, Problem


def read(rows, language):
    return [Problem(task_id=row["id"], language=language, entry_point=row["name"], instruction=row["ask"],
                    plain="", reference=row["solution"], tests=row["check"]) for row in rows]


BENCHMARKS = {"house-rules": Benchmark(read=read, dataset="houserules", source="FILE", hub_file="")}
"""


@pytest.fixture
def folder(tmp_path):
    row = {
        "id": "h/0",
        "name": "twice",
        "ask": "Double it.",
        "solution": "def twice(x): return 2 * x",
        "check": "assert twice(2) == 4",
    }
    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "house_rules.py").write_text(OWN.replace("FILE", str(tmp_path / "rows.jsonl")))
    return tmp_path / "own"


def test_a_benchmark_of_a_folder_is_loaded_beside_the_packages(folder):
    config = EvaluateConfig(benchmark="house-rules", benchmark_folder=str(folder))
    (found,) = load_benchmarks(config.benchmarks, None, folder=config.benchmark_folder)
    assert (found.name, found.language) == ("house-rules", "python")
    assert [problem.entry_point for problem in found.problems] == ["twice"]
    assert set(known_benchmarks()) < set(known_benchmarks(str(folder)))


def test_a_name_that_nobody_has_is_refused_with_and_without_a_folder(folder):
    with pytest.raises(ValueError, match="there is no benchmark 'house-rules'"):
        EvaluateConfig(benchmark="house-rules")
    with pytest.raises(ValueError, match="no benchmark 'house'; there are .*house-rules"):
        load_benchmarks(["house"], None, folder=str(folder))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("1 / 0", r"wrong.py cannot be run \(ZeroDivisionError: division by zero at wrong.py:1\)"),
        ("x = 1", "wrong.py has no table BENCHMARKS"),
        ("BENCHMARKS = {'a': 3}", r"BENCHMARKS\['a'\] is int, where an eval.problems.Benchmark is wanted"),
        ("from eval.benchmarks.humaneval import BENCHMARKS", "has a benchmark 'humaneval', which there is already"),
        (OWN.replace("house-rules", "other").replace("return [Problem", "return [row for row in rows] or [Problem"),
         "the benchmark other reads no list of eval.problems.Problem out of"),
    ],
)  # fmt: skip
def test_a_mistake_is_one_line(folder, content, said):
    (folder / "wrong.py").write_text(content.replace("FILE", str(folder.parent / "rows.jsonl")))
    with pytest.raises(ValueError, match=said):
        load_benchmarks(["other"], None, folder=str(folder))


def test_a_folder_without_files_is_refused(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"evaluate\.benchmark_folder .* is no folder with a \.py file"):
        load_benchmarks(["humaneval"], None, folder=str(tmp_path))


def test_the_digest_follows_the_files(folder):
    first = folder_digest(str(folder))
    assert folder_digest(str(folder)) == first
    (folder / "house_rules.py").write_text(OWN)
    assert folder_digest(str(folder)) != first
