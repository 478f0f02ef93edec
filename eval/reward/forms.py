"""The forms in which a reward can be asked for over HTTP: requests → samples, verdicts → answers. Pure.

`/reward` is our own. `/run_code` is SandboxFusion's: `RunCodeRequest` and `RunCodeResponse` in
`sandbox/server/sandbox_api.py` of github.com/bytedance/SandboxFusion, with two more fields, `tests` and `entry_point`.
`/verify` is NeMo Gym's: `BaseVerifyRequest` and `BaseVerifyResponse` in `nemo_gym/base_resources_server.py` of
github.com/NVIDIA-NeMo/Gym, with the `verifier_metadata` of its `resources_servers/code_gen`.

Every answer carries `reward`, `outcome` and `infra_error` beside what its form has.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from eval.benchmarks.livecodebench import PRELUDE, contest_tests
from eval.reward.judging import INFRA_ERROR, Judged, Program, Sample
from eval.reward.rewards import text_of
from eval.reward.settings import RewardConfig, Seconds

Language = Literal["python", "javascript", "java", "go", "cpp", "rust"]
Tests = str | list[str]
Model = TypeVar("Model", bound=BaseModel)

FUSION_LANGUAGES: dict[str, Language] = {
    "python": "python",
    "cpp": "cpp",
    "nodejs": "javascript",
    "go": "go",
    "java": "java",
    "rust": "rust",
}
"""SandboxFusion's names of the languages that run here."""


class FormError(ValueError):
    """A request that is not of its form."""


@dataclass(frozen=True)
class Form:
    """One form of request."""

    read: Callable[[Any, RewardConfig], Sample | Program]
    """Raises `FormError`."""
    answer: Callable[[Any, Judged], dict[str, Any]]
    """The request as it came, and what became of it."""


class RewardRequest(BaseModel):
    """Ours: a completion and its tests."""

    model_config = ConfigDict(extra="forbid")

    completion: str | list[dict[str, Any]]
    tests: Tests
    language: Language = "python"
    entry_point: str = ""
    prompt: str | list[dict[str, Any]] = ""
    declaration: str = ""
    timeout_s: Seconds | None = None
    memory_mb: Annotated[int, Field(gt=0)] | None = None


class RunCodeRequest(BaseModel):
    """SandboxFusion's: a program, and here also its tests."""

    code: str
    language: str
    compile_timeout: Seconds = 10
    run_timeout: Seconds = 10
    memory_limit_MB: int = -1
    stdin: str | None = None
    files: dict[str, str | None] = {}
    fetch_files: list[str] = []
    args: list[str] = []
    tests: Tests | None = None
    entry_point: str = ""


class UnitTests(BaseModel):
    """NeMo Gym's, in LiveCodeBench's form."""

    inputs: list[str]
    outputs: list[str]
    fn_name: str | None = None


class VerifierMetadata(BaseModel):
    """How a response is to be judged: `unit_tests` as in `code_gen`, or `tests` as everywhere here."""

    unit_tests: UnitTests | None = None
    tests: Tests | None = None
    entry_point: str = ""
    language: Language = "python"


class VerifyRequest(BaseModel):
    """NeMo Gym's."""

    responses_create_params: dict[str, Any] = {}
    response: dict[str, Any]
    verifier_metadata: VerifierMetadata


def _read_reward(body: Any, config: RewardConfig) -> Sample:
    asked = _parsed(RewardRequest, body)
    return Sample(
        completion=text_of(asked.completion),
        tests=_text(asked.tests),
        language=asked.language,
        entry_point=asked.entry_point,
        prompt=text_of(asked.prompt, role="user"),
        declaration=asked.declaration,
        timeout_s=_within("timeout_s", asked.timeout_s, config.max_timeout_s),
        memory_mb=_within("memory_mb", asked.memory_mb, config.max_memory_mb),
    )


def _answer_reward(_: Any, judged: Judged) -> dict[str, Any]:
    return _verdict(judged) | {"seconds": judged.seconds, "stderr": judged.stderr, "code": judged.code}


def _read_run_code(body: Any, config: RewardConfig) -> Sample | Program:
    asked = _parsed(RunCodeRequest, body)
    for name in ("files", "fetch_files", "args"):
        if getattr(asked, name):
            raise FormError(f"{name}: not supported here; leave it empty")
    if asked.language not in FUSION_LANGUAGES:
        raise FormError(f"language: {asked.language!r} does not run here; there are {', '.join(FUSION_LANGUAGES)}")
    language = FUSION_LANGUAGES[asked.language]
    timeout = _within("run_timeout", asked.run_timeout, config.max_timeout_s)
    memory = asked.memory_limit_MB if asked.memory_limit_MB > 0 else None
    memory = _within("memory_limit_MB", memory, config.max_memory_mb)
    if asked.tests is None:
        return Program(code=asked.code, language=language, stdin=asked.stdin, timeout_s=timeout, memory_mb=memory)
    fenced = f"```{language}\n{asked.code}\n```" if "```" not in asked.code else asked.code
    return Sample(completion=fenced, tests=_text(asked.tests), language=language, entry_point=asked.entry_point,
                  timeout_s=timeout, memory_mb=memory)  # fmt: skip


def _answer_run_code(body: Any, judged: Judged) -> dict[str, Any]:
    """`RunCodeResponse`: a failure of the sandbox is SandboxError, and has no result."""
    passed = judged.outcome == "passed"
    answer: dict[str, Any] = {"status": "Success" if passed else "Failed", "message": "", "compile_result": None}
    answer |= {"run_result": None, "executor_pod_name": None, "files": {}}
    result = {"status": "Finished", "execution_time": judged.seconds, "return_code": 0 if passed else 1}
    result |= {"stdout": judged.stdout, "stderr": judged.stderr}
    if judged.infra_error:
        answer |= {"status": "SandboxError", "message": judged.stderr}
    elif judged.outcome == "timeout":
        answer["run_result"] = result | {"status": "TimeLimitExceeded", "return_code": None}
    elif judged.outcome == "syntax" and body.get("language") != "python":
        answer["compile_result"] = result
    else:
        answer["run_result"] = result
    return answer | _verdict(judged)


def _read_verify(body: Any, config: RewardConfig) -> Sample:
    del config
    asked = _parsed(VerifyRequest, body)
    told = asked.verifier_metadata
    completion, prompt = _response_text(asked.response), asked.responses_create_params.get("input")
    prompt = text_of(prompt, role="user") if isinstance(prompt, str | list) else ""
    if told.tests is not None:
        return Sample(completion=completion, tests=_text(told.tests), language=told.language,
                      entry_point=told.entry_point, prompt=prompt)  # fmt: skip
    if told.unit_tests is None:
        raise FormError("verifier_metadata: holds neither unit_tests nor tests")
    given = told.unit_tests
    if len(given.inputs) != len(given.outputs):
        raise FormError(f"unit_tests: {len(given.inputs)} inputs and {len(given.outputs)} outputs")
    return Sample(
        completion=completion,
        tests=contest_tests(list(zip(given.inputs, given.outputs, strict=True)), given.fn_name),
        entry_point=given.fn_name or "",
        kind="function" if given.fn_name else "program",
        prompt=prompt,
        prelude=PRELUDE,
    )


def _answer_verify(body: Any, judged: Judged) -> dict[str, Any]:
    """`BaseVerifyResponse`: the request again, and a sample that nobody could judge is masked."""
    answer = body | _verdict(judged) | {"extracted_model_code": judged.code, "mask_sample": judged.infra_error}
    if judged.infra_error:
        answer |= {"failure_kind": "verifier_error", "failure_reason": judged.stderr}
    return answer


def _response_text(response: dict[str, Any]) -> str:
    """What a response of OpenAI's Responses API says, without its reasoning."""
    texts = []
    for item in _listed(response.get("output")):
        if isinstance(item, dict) and item.get("type", "message") == "message":
            content = item.get("content")
            parts = [{"text": content}] if isinstance(content, str) else _listed(content)
            texts += [str(part.get("text") or "") for part in parts if isinstance(part, dict)]
    return "".join(texts) or str(response.get("output_text") or "")


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _verdict(judged: Judged) -> dict[str, Any]:
    assert judged.infra_error == (judged.outcome == INFRA_ERROR)
    return {
        "reward": judged.reward,
        "outcome": judged.outcome,
        "infra_error": judged.infra_error,
        "oracle": judged.oracle,
    }


def _text(tests: Tests) -> str:
    text = tests if isinstance(tests, str) else "\n".join(tests)
    if not text.strip():
        raise FormError("tests: are empty, so every answer would pass them")
    return text


def _within(name: str, value: Any, most: float) -> Any:
    if value is not None and value > most:
        raise FormError(f"{name}: is too large; this server allows {most:g} at most")
    return value


def _parsed(model: type[Model], body: Any) -> Model:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        said = [f"{'.'.join(map(str, each['loc'])) or 'body'}: {each['msg']}"
                for each in error.errors(include_url=False, include_input=False)[:5]]  # fmt: skip
        raise FormError("; ".join(said)) from None


FORMS = {
    "/reward": Form(_read_reward, _answer_reward),
    "/run_code": Form(_read_run_code, _answer_run_code),
    "/verify": Form(_read_verify, _answer_verify),
}
"""Path → the form that is spoken there."""
