"""Names of benchmarks → their problems.

Every file of `eval/benchmarks/`, and of a folder of the user's own, adds its table `BENCHMARKS` to the names.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from core.languages import canonical
from core.user_code import said_by
from eval import benchmarks
from eval.benchmarks.datasets import read_dataset
from eval.problems import Benchmark, Problem, digest_of


@dataclass(frozen=True)
class ProblemSet:
    """One benchmark in one language, ready to be asked."""

    name: str
    """As in the results: "humaneval", "humanevalfix-go"."""
    benchmark: str
    language: str
    problems: list[Problem]
    """Those to be asked: all, or the first of them."""
    all_ids: frozenset[str]
    """`task_id` of all problems of the benchmark."""
    source: str
    """Where the rows came from."""
    file_digest: str
    """SHA-256 of the file."""
    digest: str
    """SHA-256 of all its problems, prompts and tests included: the same for the same benchmark out of another file."""


@cache
def known_benchmarks(folder: str | None = None) -> dict[str, Benchmark]:
    """Name → benchmark, of all files of the package's folder and of one of the user's own.

    Raises:
        ValueError: a file of the user's cannot be imported, or holds something else; it is named.
    """
    found: dict[str, Benchmark] = {}
    for module in pkgutil.iter_modules(benchmarks.__path__):
        found |= getattr(importlib.import_module(f"{benchmarks.__name__}.{module.name}"), "BENCHMARKS", {})
    for file in own_files(folder):
        for name, benchmark in _own_benchmarks(file).items():
            if name in found:
                raise ValueError(f"{FOLDER}: {file} has a benchmark {name!r}, which there is already")
            found[name] = benchmark
    return found


FOLDER = "evaluate.benchmark_folder"


def own_files(folder: str | None) -> list[Path]:
    """The Python files of a folder of benchmarks; none without one.

    Raises:
        FileNotFoundError: it is no folder, or holds no Python file.
    """
    if folder is None:
        return []
    files = sorted(Path(folder).expanduser().glob("*.py"))
    if not files:
        raise FileNotFoundError(f"{FOLDER} {folder!r} is no folder with a .py file; each holds a table BENCHMARKS")
    return files


def folder_digest(folder: str) -> str:
    """SHA-256 of the names and texts of its files, which are not run; raises as `own_files` does."""
    content = hashlib.sha256()
    for file in own_files(folder):
        content.update(f"{file.name}\0".encode() + file.read_bytes() + b"\0")
    return content.hexdigest()[:16]


def _own_benchmarks(file: Path) -> dict[str, Benchmark]:
    try:
        spec = importlib.util.spec_from_file_location(f"own_benchmark_{file.stem}", file)
        assert spec is not None
        assert spec.loader is not None  # it ends in .py
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    except Exception as error:  # noqa: BLE001 - the user's code may raise anything
        raise ValueError(f"{FOLDER}: {file} cannot be run ({said_by(error)})") from None
    table = getattr(module, "BENCHMARKS", None)
    if not isinstance(table, dict) or not table:
        raise ValueError(f"{FOLDER}: {file} has no table BENCHMARKS, from name to eval.problems.Benchmark")
    for name, benchmark in table.items():
        if not isinstance(name, str) or not isinstance(benchmark, Benchmark):
            raise ValueError(f"{FOLDER}: {file}: BENCHMARKS[{name!r}] is {type(benchmark).__name__}, "
                             "where an eval.problems.Benchmark is wanted")  # fmt: skip
    return table


def resolve_names(names: Iterable[str], folder: str | None = None) -> list[tuple[str, str]]:
    """(benchmark, language) of each name; a name without a language stands for all languages of its benchmark.

    Raises:
        ValueError: there is no such benchmark, or not in that language.
    """
    known, found = known_benchmarks(folder), []
    for name in names:
        benchmark, _, language = (name, "", "") if name in known else name.rpartition("-")
        language = canonical(name.rpartition("-")[2]) if benchmark != name else ""
        if benchmark not in known or (language and language not in known[benchmark].languages):
            listing = ", ".join(known)
            raise ValueError(f"there is no benchmark {name!r}; there are {listing}, those in several languages also as "
                             "humanevalfix-python, -javascript, -java, -go, -cpp, -rust")  # fmt: skip
        found += [(benchmark, each) for each in ([language] if language else known[benchmark].languages)]
    return list(dict.fromkeys(found))


def load_benchmarks(
    names: Iterable[str],
    datasets: str | Mapping[str, str] | None,
    limit: int | None = None,
    window: tuple[str | None, str | None] = (None, None),
    folder: str | None = None,
) -> list[ProblemSet]:
    """The problems of the named benchmarks.

    Args:
        names: as `resolve_names` takes them.
        datasets: where the rows come from: one source for all, or data set → source; None takes each one's own.
        limit: only the first problems of each.
        window: only problems published on the first day or later, and before the second, as 2024-09-30.
        folder: of benchmarks of the user's own, beside the package's.

    Raises:
        ValueError: a name is unknown, or a file is not what it should be.
        FileNotFoundError: a file is missing.
    """
    known = known_benchmarks(folder)
    resolved = resolve_names(names, folder)
    wanted = {known[benchmark].dataset for benchmark, _ in resolved}
    if isinstance(datasets, str) and len(wanted) > 1:
        raise ValueError(f"evaluate.dataset is one source, but {', '.join(sorted(wanted))} are wanted; "
                         "name each: {humaneval: FILE, mbpp: FILE}")  # fmt: skip
    if isinstance(datasets, Mapping) and (unused := set(datasets) - {each.dataset for each in known.values()}):
        every = ", ".join(sorted({each.dataset for each in known.values()}))
        raise ValueError(f"evaluate.dataset names {min(unused)!r}; the data sets are {every}")
    given = datasets if isinstance(datasets, Mapping) else dict.fromkeys(wanted, datasets) if datasets else {}
    found = [_load(known[benchmark], (benchmark, language), given) for benchmark, language in resolved]
    return [replace(each, problems=_in_window(each, window)[:limit]) for each in found]


def _in_window(each: ProblemSet, window: tuple[str | None, str | None]) -> list[Problem]:
    """The problems that were published within a window."""
    after, before = window
    if after is None and before is None:
        return each.problems
    if not all(problem.date for problem in each.problems):
        raise ValueError(f"evaluate.after, evaluate.before: {each.name} does not say when its problems were published")
    chosen = [problem for problem in each.problems if (after or "") <= problem.date < (before or "9999")]
    if not chosen:
        dates = sorted(problem.date for problem in each.problems)
        raise ValueError(f"evaluate.after, evaluate.before: {each.name} has no problem of these days; its problems are "
                         f"of {dates[0]} to {dates[-1]}")  # fmt: skip
    return chosen


def _load(benchmark: Benchmark, asked: tuple[str, str], given: Mapping[str, str]) -> ProblemSet:
    name, language = asked
    source = given.get(benchmark.dataset, benchmark.source)
    dataset = read_dataset(source, benchmark.dataset, language, benchmark.hub_file, many=benchmark.many_files)
    try:
        problems = benchmark.read(dataset.rows, language)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"no field {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}"
        raise ValueError(f"{dataset.source} is not {name} ({what})") from None
    if not isinstance(problems, list) or not all(isinstance(problem, Problem) for problem in problems):
        raise ValueError(f"the benchmark {name} reads no list of eval.problems.Problem out of {dataset.source}")
    if not problems:
        raise ValueError(f"{dataset.source} holds no problem of {name}")
    full = f"{name}-{language}" if len(benchmark.languages) > 1 else name
    return ProblemSet(
        name=full,
        benchmark=name,
        language=language,
        problems=problems,
        all_ids=frozenset(problem.task_id for problem in problems),
        source=dataset.source,
        file_digest=dataset.sha256,
        digest=digest_of(problems),
    )
