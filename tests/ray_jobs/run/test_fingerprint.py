"""A setting of speed leaves finished work alone; one of the data redoes exactly the stages behind it."""

import json
from collections.abc import Iterator
from typing import Any, Literal, get_args, get_origin

import pyarrow as pa
import pytest

from codeocean.embed.settings import EmbedConfig
from codeocean.select.settings import CoresetConfig
from core.settings import Settings, is_execution
from core.stages import STAGES
from core.storage import write_part
from ray_jobs.run.config import Config, load_config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.fingerprint import Covered, InputDigest, is_same, stage_digest
from ray_jobs.run.rundir import RunDir, StageResult, run_stage

DEMO = "configs/demo.yaml"
UNTOUCHED = {"run_dir", "ray", "decontaminate", "report", "evaluate_models"}
"""Not the settings of a stage: where and on what it runs; decontaminate is an input of three stages."""


def fields(model: type[Settings], at: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Path of each field, and whether it changes only how."""
    for name, field in model.model_fields.items():
        inner = [each for each in (field.annotation, *get_args(field.annotation))
                 if isinstance(each, type) and issubclass(each, Settings)]  # fmt: skip
        if inner and not is_execution(field) and get_origin(field.annotation) not in (tuple, dict):
            yield from fields(inner[0], (*at, name))
        else:
            yield (*at, name), is_execution(field)


def other(value: Any, annotation: Any) -> list[Any]:
    """Values that differ from `value`, of which one is allowed."""
    literals = [
        choice
        for each in (annotation, *get_args(annotation))
        if get_origin(each) is Literal
        for choice in get_args(each)
    ]
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, int | float):
        return [value + 1, value * 0.5, value + 0.25, *literals]
    return [*(choice for choice in literals if choice != value), *VALUES]


VALUES: list[Any] = [
    1, 3, 0.5, "bench", "other", "model", "2024-09-30", "k-center", "localhost", "/adapters", "http://127.0.0.1:1/v1", {"a": "b"}, {"generation": 1.0}, {"python": 1},
    {"threshold": 0.5}, {"prompt": 1.0, "completion": 1.0}, {"per_hour": 1.0}, {"playground": False}, {"m": {"dtype": "auto"}},
    ["mbpp"], ["wandb"], [1], ["generator"], ["messages"], ["json:loads"], "2024-09-30", [{"kind": "folder", "path": "src"}], [{"name": "n", "path": "p", "license": "l"}], {}, [], None,
]  # fmt: skip


def set_at(tree: dict[str, Any], path: tuple[str, ...], value: Any) -> dict[str, Any]:
    name, *rest = path
    return tree | {name: set_at(tree[name] or {}, tuple(rest), value) if rest else value}


def changed(config: Config, section: str, path: tuple[str, ...], model: type[Settings]) -> Config | None:
    """The recipe with another value of one field; None where no other value is allowed beside the rest."""
    tree, field = config.model_dump(mode="json"), None
    value: Any = tree[section]
    for name in path:
        value = None if value is None else value[name]
        field = model.model_fields[name]
        model = next((each for each in (field.annotation, *get_args(field.annotation))
                      if isinstance(each, type) and issubclass(each, Settings)), model)  # fmt: skip
    for another in other(value, field.annotation):
        try:
            found = Config.model_validate_json(json.dumps(set_at(tree, (section, *path), another)))
        except ValueError:
            continue
        if getattr(found, section) != getattr(config, section):
            return found
    return None


CONFIG = load_config(DEMO, [
    "mix.answers={model: a/b}", "select.quotas={column: language}", "collect.filters.tokenizer=t", "serve.engine.max_replicas=3",
    "generate.tests=2", "generate.tester={model: a/b}", "train.lora_rank=8",
])  # fmt: skip
"""The demo, with the parts that it leaves out."""
SECTIONS = {name: type(getattr(CONFIG, name)) for name in Config.model_fields if name not in UNTOUCHED}
FIELDS = [(name, path, how) for name, model in SECTIONS.items() for path, how in fields(model)]


@pytest.mark.parametrize(("section", "path", "only_how"), FIELDS, ids=[".".join((s, *p)) for s, p, _ in FIELDS])
def test_every_field_redoes_what_it_decides_and_nothing_else(section, path, only_how):
    config = changed(CONFIG, section, path, SECTIONS[section])
    if config is None:
        pytest.skip("no other value is allowed beside the demo's other settings")
    redone = {
        stage
        for stage in set(STAGES) - {"report"}
        if covered_by(stage, config).identity != covered_by(stage, CONFIG).identity
    }
    if only_how:
        assert not redone
    elif section == "serve":  # engines of our own answer for both roles and for the scores
        assert redone == {"serve", "generate", "evaluate"} or path[0] == "engines"
    elif (section, path) == ("train", ("model",)):
        assert redone == {"train", "evaluate"}
    elif (section, path[-1]) in {("generate", "model"), ("generate", "endpoint")}:
        assert redone == {"generate"}
    else:
        assert redone == {section}


def test_most_fields_could_be_tried():
    tried = [field for field in FIELDS if changed(CONFIG, field[0], field[1], SECTIONS[field[0]]) is not None]
    assert len(tried) >= 0.95 * len(FIELDS)


def finish(run: RunDir, settings: CoresetConfig, calls: list[CoresetConfig]) -> dict[str, Any]:
    def work() -> StageResult:
        calls.append(settings)
        write_part(run.fs, run.path("select", "coreset.parquet"), pa.table({"size": [settings.size]}))
        return StageResult(2, 1)

    return run_stage(run, "select", Covered(settings), {"embed": "e"}, work)


def test_a_finished_stage_stays_done_under_other_settings_of_speed(tmp_path):
    run, calls = RunDir(str(tmp_path)), []
    first = finish(run, CoresetConfig(size=7), calls)
    assert finish(run, CoresetConfig(size=7, cpus_per_shard=2, shards=3, gpus_per_shard=0.5), calls) == first
    assert len(calls) == 1
    assert not run.exists("superseded")


def test_a_run_of_version_0_1_0_is_done_and_its_superseded_parts_come_back(tmp_path):
    """That version's digests covered settings of speed, and its stage.json kept no inputs."""
    run, calls = RunDir(str(tmp_path)), []
    old = json.loads(CoresetConfig(size=7, shards=2).model_dump_json())
    digest = stage_digest("select", old, {"embed": "e"})
    manifest = {"stage": "select", "digest": digest, "config": old, "inputs": {"embed": "e"}, "rows_out": 7}
    run.write_json({"digest": digest, "attempts": 1, "config": old}, "select", "stage.json")
    run.write_json(manifest, "select", "manifest.json")
    assert finish(run, CoresetConfig(size=7, cpus_per_shard=2), calls) == manifest
    assert finish(run, CoresetConfig(size=8), calls)["digest"] != digest
    assert finish(run, CoresetConfig(size=7), calls) == manifest
    assert len(calls) == 1


def test_a_cut_off_stage_of_version_0_1_0_goes_on(tmp_path):
    run = RunDir(str(tmp_path))
    old = json.loads(CoresetConfig(size=7).model_dump_json())
    record = {"digest": stage_digest("select", old, {"embed": "e"}), "attempts": 3, "config": old}
    run.write_json(record, "select", "stage.json")
    manifest = finish(run, CoresetConfig(size=7), [])
    assert (manifest["digest"], manifest["attempts"]) == (record["digest"], 4)
    assert not is_same(record, "select", Covered(CoresetConfig(size=7)), {"embed": "other"})


def test_what_an_older_version_did_not_write_down_counts_as_the_same():
    settings = CoresetConfig(size=7)
    assert Covered(settings, {"engines": {"a": 1}}).same_as({"size": 7})
    assert not Covered(settings, {"engines": {"a": 1}}).same_as({"size": 7, "engines": {"a": 2}})
    assert not Covered(settings).same_as({"size": 8})


def test_an_input_whose_digest_is_computed_otherwise_today_is_still_the_same():
    covered, config = Covered(CoresetConfig(size=7)), CoresetConfig(size=7).model_dump(mode="json")
    now = {"model": InputDigest("new", "old"), "embed": "e"}
    for record in ({"inputs": {"model": "old", "embed": "e"}}, {"inputs": {"model": "new", "embed": "e"}},
                   {"digest": stage_digest("select", config, {"model": "old", "embed": "e"})}):  # fmt: skip
        assert is_same(record | {"config": config}, "select", covered, now)
    assert not is_same({"inputs": {"model": "other", "embed": "e"}, "config": config}, "select", covered, now)
    assert json.dumps(now) == '{"model": "new", "embed": "e"}'


def test_a_finished_stage_outlives_a_change_of_default_and_a_cut_off_one_does_not(tmp_path):
    """Half of its parts would be of one kind and half of the other."""
    covered = Covered(EmbedConfig())
    config = EmbedConfig(text="docstring and code").model_dump(mode="json")
    assert is_same({"config": config, "inputs": {}, "done": True}, "embed", covered, {})
    assert not is_same({"config": config, "inputs": {}}, "embed", covered, {})
    assert not is_same({"config": config, "inputs": {}, "done": True}, "embed", Covered(EmbedConfig(text="share")), {})


def test_a_prompt_is_covered_by_its_text_and_earlier_runs_have_the_papers(tmp_path):
    own = tmp_path / "a.jinja"
    own.write_text("{{ messages }}")
    own.with_name("b.jinja").write_text("{{ messages }}\n")
    covered = [covered_by("train", load_config(DEMO, [f"train.prompt={each}"]))
               for each in ("paper", "model", own, own.with_name("b.jinja"))]  # fmt: skip
    assert [each.identity["prompt"] for each in covered] == ["paper", "model", "{{ messages }}", "{{ messages }}"]
    earlier = {name: value for name, value in covered[0].config.items() if name not in {"prompt", "loss_on"}}
    assert [each.same_as(earlier, done=True) for each in covered] == [True, False, False, False]
    with pytest.raises(ValueError, match=r"train.*cannot be read"):
        load_config(DEMO, ["train.prompt=none.jinja"])


def test_the_source_of_a_rule_of_the_users_own_decides_the_data(tmp_path, monkeypatch):
    (tmp_path / "digested_rules.py").write_text("def no_todo(row): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    plain = load_config(DEMO, [])
    config = load_config(DEMO, ["collect.filters.custom=[digested_rules:no_todo]"])
    before = covered_by("collect", config)
    assert "code" not in covered_by("collect", plain).config
    assert before.same_as(before.config)
    (tmp_path / "digested_rules.py").write_text("def no_todo(row): return 'todo'\n")
    assert not covered_by("collect", config).same_as(before.config)
