"""Settings of the coreset (paper, section 2.2.1). No Ray here."""

from typing import Annotated, Literal, Self

from pydantic import NonNegativeFloat, NonNegativeInt, PositiveInt, model_validator

from core.settings import Execution, Settings


class QuotaConfig(Settings):
    """How many rows of a group a coreset must and may hold; the picks stay greedy among the rows that are allowed."""

    column: Literal["language", "license", "repository", "source"]
    """Column of the raw code that names the groups."""

    at_least: dict[str, NonNegativeInt] = {}
    """Group → fewest rows."""

    at_most: dict[str, NonNegativeInt] = {}
    """Group → most rows."""


class CoresetConfig(Settings):
    """Which rows of the corpus to keep (paper, section 2.2.1)."""

    size: PositiveInt = 20_000
    """Rows to select; judging drops some, so select more than you want to end with."""

    method: Literal["k-center", "random", "k-means++"] = "k-center"
    """"k-center" is the paper's. The others are baselines for an ablation; k-means++ is scikit-learn's."""

    metric: Literal["euclidean", "cosine"] = "euclidean"
    """"cosine" scales vectors to length 1 first; for normalised embeddings both are the same."""

    first: NonNegativeInt | Literal["central", "random"] = "central"
    """Row of the first pick. "central" is the row nearest the mean, so that no seed is needed."""

    seed: NonNegativeInt = 0
    """Random seed of the baselines, and of the first pick when it is "random"."""

    grow: str | None = None
    """A coreset.parquet of a smaller corpus, by path or URL: its rows stay, and the rest is picked around them."""

    quotas: QuotaConfig | None = None
    """Fewest and most rows of a language, a licence, a repository or a source."""

    shards: Annotated[PositiveInt, Execution()] = 1
    """Slices of the matrix, each in a Ray actor of its own; 1 works in the job's process. The picks are the same."""

    cpus_per_shard: Annotated[PositiveInt, Execution()] = 1
    """Logical CPUs, and threads, of one shard."""

    gpus_per_shard: Annotated[NonNegativeFloat, Execution()] = 0.0
    """GPUs of one shard."""

    @model_validator(mode="after")
    def _possible(self) -> Self:
        if self.method != "k-center" and (self.grow is not None or self.quotas is not None):
            raise ValueError(f"grow and quotas belong to the method k-center, not to {self.method}")
        if self.method == "k-means++" and self.shards > 1:
            raise ValueError("k-means++ works in one process; set shards to 1")
        return self
