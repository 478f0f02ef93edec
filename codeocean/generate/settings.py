"""Settings of the LLM Generator and Discriminator (paper, section 2.2.2)."""

from typing import Annotated, Literal, Self

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveFloat, PositiveInt, model_validator

from codeocean.teachers import PriceConfig, TeacherConfig
from core.settings import Before, Execution, Settings


class RoleConfig(TeacherConfig):
    """One of the two LLM roles."""

    engines: Annotated[Literal["serve", "data", "sglang"], Execution()] = "serve"
    """Where a model of our own runs: "serve" is vLLM replicas on Ray Serve, "data" vLLM engines inside Ray Data,
    "sglang" SGLang's inside Ray Data, on nodes that have it installed. Another engine draws other samples."""

    batch: Annotated[bool, Execution()] = False
    """Ask the endpoint's Batch API (OpenAI's form): cheaper, with answers within a day. The whole role is then charged
    with `price.batch`."""

    temperature: NonNegativeFloat = 0.0
    """0 is greedy. A retry of a greedy answer samples at `retry_temperature`."""

    max_tokens: PositiveInt = 512
    """Most tokens of an answer, those of thinking too. An answer cut off there is tried again, with twice as many where
    all of them went into thinking."""

    price: Annotated[PriceConfig | None, Execution()] = None
    """What tokens cost; None where engines are paid by the hour, or not at all."""


class SpendingConfig(Settings):
    """What generation may take: changes when a job stops, never what it makes. A larger budget goes on from there."""

    per_hour: NonNegativeFloat = 0.0
    """Price of an hour of all engines together."""

    max_tokens: PositiveInt | None = None
    """Stop when so many tokens, in and out, are used; what is in flight then is finished."""

    max_cost: PositiveFloat | None = None
    """Stop when so much is spent, by `price` and `per_hour`."""


class GenerateConfig(Settings):
    """How the coreset becomes CodeOcean. Where the paper gives no number, the default is the demo's."""

    generator: RoleConfig
    """Who writes instances; the paper's was GPT-3.5-turbo."""

    discriminator: RoleConfig
    """Who judges them; the paper's was GPT-4."""

    tester: RoleConfig | None = None
    """Who writes tests, where `tests` asks for some; None takes the generator."""

    solutions: Annotated[PositiveInt, Before(1)] = 1
    """Solutions of an exercise that the generator writes. More than one needs `tests`: the sandbox runs all of them,
    and the largest group that passes the same tests is believed."""

    tests: Annotated[NonNegativeInt, Before(0)] = 0
    """Tests that the tester writes for an exercise, from its instruction and signature alone; 0 is the paper's way."""

    mutants: Annotated[NonNegativeInt, Before(10)] = 10
    """Edits of a solution that the tests are run against, to see what the tests are worth."""

    round_trip: Annotated[bool, Before(False)] = False
    """Prove summaries: the generator writes code from the summary alone, and it is run on the inputs of the source's
    tests. Needs `tests`; two more answers for each summary."""

    tasks: dict[str, float] | None = None
    """Task → share of the mix; None takes the tasks' own shares, which are the paper's table 1."""

    task_folder: str | None = None
    """Folder of more task files."""

    round_size: PositiveInt = 256
    """Raw code of one round. Few-shot cases come from rounds at least two back. Two rounds are open at a time, and
    the last answers of a round keep the next but one closed: to keep n requests in flight, make it 4 n or more."""

    good_shots: PositiveInt = 4
    """Good cases in a prompt. The prefix cache serves them: many cost little."""

    bad_shots: NonNegativeInt = 1
    """Bad cases in a prompt, each with its reasons."""

    shot_sets: PositiveInt = 2
    """Few-shot sets of a task in a round, each shared by many prompts, so that the prefix cache serves them."""

    attempts: PositiveInt = 2
    """Most answers asked for one raw code before it counts as failed."""

    retry_temperature: NonNegativeFloat = 0.7
    """Temperature of a second and later attempt, unless the role's own is higher."""

    max_code_chars: PositiveInt = 1500
    """Raw code longer than this is not sent (reason "code too long for the prompt")."""

    max_answer_chars: PositiveInt = 1500
    """Most characters of a field of the answer."""

    concurrency: Annotated[PositiveInt, Execution()] = 64
    """Most requests in flight at an endpoint; fewer while it is overloaded."""

    processes: Annotated[PositiveInt, Execution()] = 1
    """Processes that ask teachers' endpoints, a share of the rows each. One ends at some 600 to 900 questions a second;
    more take 100 MB each."""

    spending: Annotated[SpendingConfig, Execution()] = SpendingConfig()
    """Budget, and the price of engines."""

    failed_alike: Annotated[float, Execution()] = Field(default=0.95, gt=0, le=1)
    """The stage is an error, with the reason, when this share of all rows failed for one reason."""

    seed: int = Field(default=0, ge=0, lt=2**31)
    """Random seed of tasks, few-shot draws and sampling."""

    @model_validator(mode="after")
    def _solutions_need_tests(self) -> Self:
        if self.solutions > 1 and not self.tests:
            raise ValueError("solutions needs tests to choose by; set generate.tests, for example to 4")
        if self.round_trip and not self.tests:
            raise ValueError("round_trip needs inputs to compare by; set generate.tests, for example to 4")
        return self
