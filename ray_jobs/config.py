"""The whole configuration: one tree, composed of each room's own settings, from YAML and `--set section.key=value`."""

import json
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, NonNegativeInt, PositiveInt, ValidationError

from codeocean.collecting import CollectConfig
from codeocean.decontamination import DecontaminateConfig
from codeocean.embedding import EmbedConfig
from codeocean.generation import GenerateConfig
from codeocean.instances import CodeOceanConfig
from codeocean.mixing import MixConfig
from codeocean.selection import CoresetConfig
from eval.settings import EvaluateConfig
from serve.endpoint import ServeConfig
from training.settings import TrainConfig


class RayConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """The local Ray that a job starts where there is no cluster; on a cluster only the last two count."""

    num_cpus: PositiveInt | None = None
    """Logical CPUs of the local Ray; None takes what the machine has. They are tickets, not cores."""

    object_store_mb: PositiveInt = 512
    """Shared memory of the local Ray."""

    dashboard: bool = True
    """Serve the dashboard of the local Ray on 127.0.0.1."""

    dashboard_port: NonNegativeInt = 8265
    """Its port; the next free one is taken if it is in use."""

    offline: bool = False
    """Never ask a model hub: sets HF_HUB_OFFLINE in every worker."""

    allow_open_cluster: bool = False
    """Start even on a cluster whose job API is open to the internet: `--allow-open-cluster`."""


class ReportConfig(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """The report page."""

    title: str = "WaveCoder run"
    """Heading of the page."""


class Config(BaseModel, frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True):
    """Everything that a job can be told."""

    run_dir: str
    """Run directory: a path, or a URL such as s3://bucket/run that every node can reach."""

    ray: RayConfig = RayConfig()
    """The local Ray."""

    collect: CollectConfig
    """Sources and filters of raw code."""

    embed: EmbedConfig = EmbedConfig()
    """The embedding model."""

    select: CoresetConfig = CoresetConfig()
    """Size of the coreset."""

    decontaminate: DecontaminateConfig = DecontaminateConfig()
    """Benchmarks that are kept out of the data."""

    generate: GenerateConfig
    """The LLM Generator and Discriminator."""

    codeocean: CodeOceanConfig = CodeOceanConfig()
    """What of the accepted instances becomes the data set."""

    mix: MixConfig = MixConfig()
    """Other instruction sets to train on too, and who answers all of them again; by default neither."""

    train: TrainConfig
    """The fine-tuning."""

    serve: ServeConfig = ServeConfig()
    """The endpoint, its engines (teacher, judge and tuned model), and the gateway in front of it."""

    evaluate: EvaluateConfig = EvaluateConfig()
    """The benchmark."""

    evaluate_models: tuple[Literal["base", "tuned"], ...] = ("base", "tuned")
    """Which models are scored: the one before training, the one after, or both."""

    report: ReportConfig = ReportConfig()
    """The report."""

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
        ValueError: one line that names the key, the value and what is allowed.
        FileNotFoundError: there is no such file.
    """
    tree = _read_yaml(path)
    for override in overrides:
        _apply(tree, override)
    if run_dir is not None:
        tree["run_dir"] = run_dir
    try:
        return Config.model_validate_json(json.dumps(tree, default=str))
    except ValidationError as error:
        raise ValueError(f"{path}: {_first_line(error)}") from None


def _read_yaml(path: str) -> dict[str, Any]:
    if not Path(path).is_file():
        raise FileNotFoundError(f"--config {path}: there is no such file; the recipes are in configs/")
    try:
        tree = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} is not YAML: {' '.join(str(error).split())}") from None
    if not isinstance(tree, dict):
        raise ValueError(f"{path} holds no settings; it should be a mapping of sections such as collect: and embed:")
    return tree


def _apply(tree: dict[str, Any], override: str) -> None:
    key, separator, text = override.partition("=")
    if not separator or not key:
        raise ValueError(f"--set {override!r} should read section.key=value")
    try:
        value = yaml.safe_load(text)
    except yaml.YAMLError:
        raise ValueError(f"--set {override!r}: the value is not YAML") from None
    *sections, leaf = key.split(".")
    node = tree
    for section in sections:
        node = node.setdefault(section, {})
        if not isinstance(node, dict):
            raise ValueError(f"--set {override!r}: {section} is a value, not a section")
    node[leaf] = value


def _first_line(error: ValidationError) -> str:
    """The first problem as "key is value; what is allowed", and how many more there are."""
    problems = error.errors(include_url=False)
    first = problems[0]
    key = ".".join(str(part) for part in first["loc"]) or "the configuration"
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    if first["type"] == "extra_forbidden":
        return f"unknown key {key}{_known_keys(first['loc'])}{more}"
    if first["type"] == "missing":
        return f"{key} is missing{more}"
    message = first["msg"].removeprefix("Value error, ")
    return f"{key} is {json.dumps(first['input'], default=str)[:120]}; {message}{more}"


def _known_keys(location: tuple[int | str, ...]) -> str:
    model: Any = Config
    for part in location[:-1]:
        field = getattr(model, "model_fields", {}).get(part)
        model = field.annotation if field else None
    known = getattr(model, "model_fields", {})
    return f"; allowed there: {', '.join(known)}" if known else ""
