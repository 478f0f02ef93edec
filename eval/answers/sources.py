"""Where answers come from: an endpoint that is asked, or a file of samples that somebody already has. No Ray here."""

from __future__ import annotations

import hashlib
import logging
from pathlib import Path
from typing import Any, Protocol, cast

from core.chat import Chat, ChatAnswer, ChatRequest, CompletingChat
from core.text import storable
from eval.answers.assemble import candidate_of_continuation, candidate_of_solution
from eval.answers.prompts import Request, read_with_reason, request_description, request_for
from eval.answers.sample_files import by_known_ids, parse_samples, signature_warnings
from eval.benchmarks.catalogue import ProblemSet
from eval.problems import Problem, with_description
from eval.settings import EvaluateConfig

log = logging.getLogger("wavecoder.eval")


class Answers(Protocol):
    """What an evaluation judges. Picklable it need not be: it stays in the driver."""

    model: str

    def number(self, problem: Problem) -> int:
        """How many samples there are of a problem."""

    async def __call__(self, problem: Problem, sample: int) -> dict[str, Any]:
        """Columns of SAMPLES, and `candidate`, the program without its tests, and `error`, empty unless refused."""

    def key(self) -> dict[str, Any]:
        """What the samples depend on."""


class EndpointAnswers:
    """Asks an endpoint, once or twice a sample, in the form that the settings say."""

    def __init__(self, config: EvaluateConfig, chat: Chat, model: str) -> None:
        """Args: config; chat: of the endpoint, which completes plain text too where that is asked; model: its name."""
        self._config, self._chat, self.model = config, chat, model
        self.in_batches: bool = getattr(chat, "in_batches", False)
        """All samples should be asked for at once."""

    def number(self, problem: Problem) -> int:
        """As many as the settings ask for."""
        del problem
        return self._config.samples

    def key(self) -> dict[str, Any]:
        """The model and what it is asked."""
        return {"model": self.model} | self._config.of_answers()

    async def __call__(self, problem: Problem, sample: int) -> dict[str, Any]:
        """Ask for one sample.

        Raises:
            ConnectionError: the endpoint failed; the model is not to blame.
        """
        form, seed = self._config.prompt, self._config.seed + sample
        row: dict[str, Any] = {"seed": seed, "form": form, "description": "", "raw_answer": "", "finish_reason": ""}
        row |= {"reading": "", "completion": "", "candidate": ""}
        if problem.describe is not None:
            request = request_description(problem, form)
            said = await self._ask(request, seed)
            row |= {"prompt": request.text, "description": said["text"]}
            if said["error"]:
                return row | {"error": said["error"]}
            problem = with_description(problem, said["text"])
        request = request_for(problem, form)
        answer = await self._ask(request, seed)
        completion, candidate, reading = read_with_reason(problem, form, answer["text"])
        return row | {
            "prompt": request.text,
            "raw_answer": answer["text"],
            "finish_reason": answer["finish_reason"],
            "reading": reading,
            "completion": completion,
            "candidate": candidate,
            "error": answer["error"],
        }

    async def _ask(self, request: Request, seed: int) -> ChatAnswer:
        messages, config = [{"role": "user", "content": request.text}], self._config
        asked = ChatRequest(
            self.model, messages, config.max_tokens, config.temperature, seed, stop=list(request.stop) or None
        )
        answer = await (self._chat(asked) if request.chat else cast("CompletingChat", self._chat).complete(asked))
        if answer["error"] and answer.get("blame", "endpoint") == "endpoint":
            raise ConnectionError(f"the endpoint failed, and its failure is no wrong answer: {answer['error']}")
        return {**answer, "text": storable(answer["text"])}


class GivenAnswers:
    """Samples out of a file, judged as they are: a `completion` continues the prompt, a `solution` is the program."""

    def __init__(self, path: str, model: str) -> None:
        """Read a file of samples.

        Args:
            path: JSON lines or one array, also .gz; a sample has `task_id` and `completion` or `solution`, or a list of
                either.
            model: whose they are, for the result.

        Raises:
            FileNotFoundError: there is no such file.
            ValueError: a line is no sample; its number is named.
        """
        self.model = model
        file = Path(path).expanduser()
        if file.is_dir():
            raise IsADirectoryError(f"--samples {path} is a folder, where a file is wanted (.jsonl or .jsonl.gz)")
        if not file.is_file():
            raise FileNotFoundError(f"--samples {path}: there is no such file")
        content = file.read_bytes()
        self.sha256 = hashlib.sha256(content).hexdigest()
        self.samples = parse_samples(content, path)

    def number(self, problem: Problem) -> int:
        """As many as the file has."""
        return len(self.samples.get(problem.task_id, ()))

    def key(self) -> dict[str, Any]:
        """The file's content."""
        return {"samples": self.sha256}

    async def __call__(self, problem: Problem, sample: int) -> dict[str, Any]:
        """One sample of the file."""
        kind, text = self.samples[problem.task_id][sample]
        whole = text if kind == "solution" else problem.declaration + text
        return {"prompt": "", "description": "", "raw_answer": text, "finish_reason": "", "completion": text, "seed": 0,
                "form": kind, "candidate": candidate_of_solution(problem, whole), "error": ""}  # fmt: skip


class ReferenceAnswers:
    """The benchmark's own solutions: what does not pass with them is the machine's or the benchmark's fault."""

    model = "reference"

    def number(self, problem: Problem) -> int:
        """One."""
        del problem
        return 1

    def key(self) -> dict[str, Any]:
        """Nothing but the problems."""
        return {"answers": self.model}

    async def __call__(self, problem: Problem, sample: int) -> dict[str, Any]:
        """The solution."""
        del sample
        if not problem.reference:
            raise ValueError(f"{problem.task_id} comes without a solution, so --reference cannot judge it")
        return {"prompt": "", "description": "", "raw_answer": problem.reference, "finish_reason": "", "seed": 0,
                "completion": problem.reference, "form": "reference", "error": "",
                "candidate": candidate_of_continuation(problem, problem.reference, cut=False)}  # fmt: skip


def choose_problems(sets: list[ProblemSet], answers: GivenAnswers, *, allow_missing: bool) -> list[ProblemSet]:
    """The benchmarks that a file has samples of.

    Raises:
        ValueError: it names a problem that no benchmark has, or, unless allowed, has none for some problem: leaving
            hard problems out would raise the score.
    """
    answers.samples = by_known_ids(answers.samples, sets, allow_missing=allow_missing)
    found = [each for each in sets if any(answers.number(problem) for problem in each.problems)]
    for each in found:
        missing = [problem.task_id for problem in each.problems if not answers.number(problem)]
        if missing and not allow_missing:
            raise ValueError(f"there is no sample for {len(missing)} of {len(each.problems)} problems of {each.name}, "
                             f"such as {missing[0]}; add them, or leave them out with --allow-missing")  # fmt: skip
    for line in signature_warnings(answers.samples, found):
        log.warning("evaluate: %s", line)
    return found
