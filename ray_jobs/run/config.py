"""The whole configuration: one tree, composed of each room's own settings, from YAML and `--set section.key=value`."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Self, cast

import yaml
from pydantic import Field, NonNegativeInt, PositiveInt, ValidationError, field_validator, model_validator

from codeocean.collect.accounting import CollectConfig
from codeocean.decontaminate.leakage import DecontaminateConfig
from codeocean.embed.settings import EmbedConfig
from codeocean.export.instances import CodeOceanConfig
from codeocean.export.mix import MixConfig
from codeocean.generate.settings import GenerateConfig
from codeocean.select.settings import CoresetConfig
from core.object_store import join_url, open_url, shown_url
from core.settings import Settings
from core.strict_yaml import Document, KeyPath, RepeatedKeyError, read_yaml, read_yaml_bytes, read_yaml_file
from core.validation import explain
from eval.settings import EvaluateConfig
from ray_jobs.run.named_paths import check_file
from serve.settings import ServeConfig
from training.settings import TrainConfig

OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
"""Environment of a process that asks no model hub."""


class RayConfig(Settings):
    """The local Ray that a job starts where there is no cluster; on a cluster only the last two count."""

    num_cpus: PositiveInt | None = None
    """Logical CPUs of the local Ray; None takes what the machine has. They are tickets, not cores."""

    object_store_mb: PositiveInt = 512
    """Shared memory of the local Ray."""

    dashboard: bool = True
    """Serve the dashboard of the local Ray on 127.0.0.1."""

    dashboard_port: NonNegativeInt | None = None
    """Its port; None takes 8265, or the next free one if that is in use."""

    tracing: bool = False
    """Send a span of each task and actor call to the OpenTelemetry collector of OTEL_EXPORTER_OTLP_ENDPOINT."""

    offline: bool = False
    """Never ask a model hub: sets HF_HUB_OFFLINE in every worker."""

    allow_open_cluster: bool = False
    """Start even on a cluster whose job API is open to the internet: `--allow-open-cluster`."""


class ReportConfig(Settings):
    """The report page."""

    title: str = "WaveCoder run"
    """Heading of the page."""


NEEDED = ("collect", "generate", "train")
"""Sections without defaults. A recipe may leave out those that its job does not use."""


class Config(Settings):
    """Everything that a job can be told."""

    run_dir: str
    """Run directory: a path, or a URL such as s3://bucket/run that every node can reach."""

    ray: RayConfig = RayConfig()
    """The local Ray."""

    collect: CollectConfig = Field(default=cast("Any", None))
    """Sources and filters of raw code."""

    embed: EmbedConfig = EmbedConfig()
    """The embedding model."""

    select: CoresetConfig = CoresetConfig()
    """Size of the coreset."""

    decontaminate: DecontaminateConfig = DecontaminateConfig()
    """Benchmarks that are kept out of the data."""

    generate: GenerateConfig = Field(default=cast("Any", None))
    """The LLM Generator and Discriminator."""

    codeocean: CodeOceanConfig = CodeOceanConfig()
    """What of the accepted instances becomes the data set."""

    mix: MixConfig = MixConfig()
    """Other instruction sets to train on too, and who answers all of them again; by default neither."""

    train: TrainConfig = Field(default=cast("Any", None))
    """The fine-tuning."""

    serve: ServeConfig = ServeConfig()
    """The endpoint, its engines (teacher, judge and tuned model), and the gateway in front of it."""

    evaluate: EvaluateConfig = EvaluateConfig()
    """The benchmark."""

    evaluate_models: tuple[Literal["base", "tuned"], ...] = ("base", "tuned")
    """Which models are scored: the one before training, the one after, or both."""

    report: ReportConfig = ReportConfig()
    """The report."""

    @field_validator("run_dir")
    @classmethod
    def _names_a_folder(cls, path: str) -> str:
        if not path:  # as of a shell's variable that is not set: it would be the working directory
            raise ValueError("it names no folder")
        if path != path.strip():
            raise ValueError("there is white space around it")
        if re.search(r"\$\{?[A-Za-z_]", path):
            raise ValueError("a recipe knows no variables: write the path out, or name it by --run-dir")
        return path

    @model_validator(mode="after")
    def _leave_out(self) -> Self:
        for name in NEEDED:
            if self.__dict__[name] is None:
                del self.__dict__[name]
        return self

    @model_validator(mode="after")
    def _pairs_are_written(self) -> Self:
        train = self.__dict__.get("train")
        if train is not None and train.objective != "sft" and "preference" not in self.codeocean.formats:
            raise ValueError(f"train.objective {train.objective} learns from pairs; add preference to "
                             "codeocean.formats")  # fmt: skip
        return self

    if not TYPE_CHECKING:  # else mypy lets every attribute be there

        def __getattr__(self, name: str) -> Any:
            if name in NEEDED:
                self.require(name)
            return super().__getattr__(name)

    def require(self, *names: str) -> None:
        """Refuse a recipe without these sections.

        Raises:
            ValueError: all that are missing.
        """
        missing = [name for name in names if name not in self.__dict__]
        if missing:
            raise ValueError(f"the recipe has no section {' and no section '.join(missing)}, which this job needs; "
                             "configs/demo.yaml shows one")  # fmt: skip

    def as_yaml(self) -> str:
        """The recipe that this stands for; a port that nobody named stays unnamed."""
        unnamed: Any = None if self.serve.port_named else {"serve": {"port"}}
        return yaml.safe_dump(json.loads(self.model_dump_json(exclude=unnamed)), sort_keys=False)

    def section(self, name: str) -> dict[str, Any]:
        """One section as JSON values, for manifests and digests."""
        values: dict[str, Any] = json.loads(getattr(self, name).model_dump_json())
        return values


def load_config(path: str, overrides: list[str], run_dir: str | None = None) -> Config:
    """Read a recipe and apply overrides.

    Args:
        path: YAML file.
        overrides: `section.key=value`, the value as YAML.
        run_dir: replaces `run_dir` of the recipe.

    Raises:
        ValueError: one line that names every wrong key, its place, its value and what is allowed.
        OSError: there is no such file, or it cannot be read.
    """
    recipe = _read_recipe(path)
    tree: dict[str, Any] = {name: value for name, value in recipe.value.items() if value is not None}
    given = {_apply(tree, override): f"--set {override}" for override in overrides}
    if run_dir is not None:
        tree["run_dir"], given[("run_dir",)] = run_dir, "--run-dir"
    try:
        plain = json.dumps(tree, default=str)
    except (TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"{shown_url(path)} holds what no setting can be: {error}") from None

    def place(at: KeyPath) -> str:
        for length in range(len(at), 0, -1):
            if at[:length] in given:
                return given[at[:length]]
        below = [told for key, told in given.items() if at and key[: len(at)] == at]
        line = recipe.line_of(at)
        return below[-1] if below else shown_url(path) if line is None else f"{shown_url(path)}, line {line}"

    try:
        return Config.model_validate_json(plain)
    except ValidationError as error:
        raise ValueError(explain(error, Config, json.loads(plain), place)) from None


def recipe_of(recipe: str | None, run_dir: str | None) -> str:
    """Path or URL of the recipe: the one that is named, or the one that a run directory keeps.

    Raises:
        ValueError: neither is there.
    """
    if recipe is not None:
        return recipe
    if run_dir is None:
        raise ValueError("name a recipe, such as --config configs/demo.yaml, or a run that was begun, by --run-dir")
    if "://" in run_dir:
        return join_url(run_dir, "config.yaml")
    kept = Path(run_dir).expanduser() / "config.yaml"
    if not kept.is_file():
        raise ValueError(f"--run-dir {run_dir}: no job has begun there; name its recipe with --config")
    return str(kept)


def _read_recipe(path: str) -> Document:
    document = (
        _read_stored(path)
        if "://" in path
        else read_yaml_file(check_file(path, "--config", "the recipes are in configs/"), path)
    )
    if not isinstance(document.value, dict):
        raise ValueError(
            f"{shown_url(path)} holds no settings; it should be a mapping of sections such as collect: and embed:"
        )
    return document


def _read_stored(url: str) -> Document:
    fs, path = open_url(url)
    try:
        with fs.open_input_stream(path) as stream:
            return read_yaml_bytes(stream.read(), shown_url(url))
    except FileNotFoundError:
        raise ValueError(f"{shown_url(url)} is not there: no job has begun; name a recipe with --config") from None


def _apply(tree: dict[str, Any], override: str) -> KeyPath:
    """Set one value; returns the path of its key."""
    key, separator, text = override.partition("=")
    key = key.strip()
    if not separator or not all(key.split(".")):
        raise ValueError(f"--set {override!r} should read section.key=value")
    try:
        value = read_yaml(text).value
    except RepeatedKeyError as error:
        raise ValueError(f"--set {override!r}: {error}") from None
    except (yaml.YAMLError, RecursionError):
        raise ValueError(f"--set {override!r}: the value is not YAML") from None
    path: list[str | int] = []
    node: Any = tree
    *sections, leaf = key.split(".")
    for section in sections:
        at = _entry(node, section, override)
        if isinstance(node, dict) and node.get(section) is None:
            node[section] = {}
        node = node[at]
        path.append(at)
        if not isinstance(node, dict | list):
            raise ValueError(f"--set {override!r}: {section} is a value, not a section")
    path.append(_entry(node, leaf, override))
    node[path[-1]] = value
    return tuple(path)


def _entry(node: Any, part: str, override: str) -> str | int:
    """A key of a mapping, or an index of a list."""
    if not isinstance(node, list):
        return part
    if not part.isdecimal() or int(part) >= len(node):
        raise ValueError(f"--set {override!r}: {part} should be the number of an entry, 0 to {len(node) - 1}")
    return int(part)
