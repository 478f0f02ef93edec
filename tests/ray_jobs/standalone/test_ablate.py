"""A study: its variants, what they share, and its table. The stages here are stand-ins; the run directory is real."""

import json
from pathlib import Path

import pyarrow as pa
import pytest

from core.storage import write_part
from eval.scores import SAMPLES
from ray_jobs.run import stages
from ray_jobs.run.config import load_config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.rundir import StageResult, run_stage
from ray_jobs.standalone import ablate
from ray_jobs.standalone.ablate import Study, compare_variants, read_study, run_ablate, table_of, variants

ROOT = Path(__file__).parents[3]
DEMO = str(ROOT / "configs" / "demo.yaml")


def test_every_combination_is_a_valid_recipe_that_says_what_is_varied():
    base = load_config(DEMO, [])
    found = variants(["select.method=kcenter,random", "tasks=all,-repair"], base)
    assert [each.label for each in found] == [
        "select.method=kcenter, tasks=all", "select.method=kcenter, tasks=-repair",
        "select.method=random, tasks=all", "select.method=random, tasks=-repair",
    ]  # fmt: skip
    last = load_config(DEMO, list(found[-1].overrides))
    assert last.select.method == "random"
    assert last.codeocean.require == {"task": ("generation", "summarization", "translation")}
    assert [each.label for each in variants([], base)] == ["recipe"]


@pytest.mark.parametrize(("axis", "match"), [
    ("select.method", "should read section.key=value,value"),
    ("tasks=all,-poetry", "it takes all, or -NAME of generation, repair, summarization, translation"),
    ("languages=python", "it takes all, or -NAME of"),
])  # fmt: skip
def test_a_wrong_axis_is_one_line(axis, match):
    with pytest.raises(ValueError, match=match):
        variants([axis], load_config(DEMO, []))


@pytest.fixture
def made(monkeypatch):
    """Stand-ins for three stages, with their real digests, and what was made by them."""
    done = []

    def stage(name, inputs, work=lambda config, run: None):
        def run(config, folder):
            def made_now():
                done.append(name)
                details = {"rows": 5, "last_loss": 1.0} if name == "train" else {}
                return StageResult(1, 1, details=details | (work(config, folder) or {}))

            digests = {each: folder.manifest(each)["digest"] for each in inputs}
            return run_stage(folder, name, covered_by(name, config), digests, made_now)

        return stages.Step(name, run)

    def score(config, run):
        passed = [config.select.method == "k-center" or number % 2 == 0 for number in range(6)]
        rows = [{"task_id": f"t{number}", "passed": each} for number, each in enumerate(passed)]
        write_part(run.fs, run.path("evaluate", "tuned-humaneval.parquet"), pa.Table.from_pylist(rows, schema=SAMPLES))
        return {"scores": [{"benchmark": "humaneval", "label": "tuned"}]}

    steps = (stage("select", ()), stage("train", ("select",)), stage("evaluate", ("train",), score))
    monkeypatch.setattr(stages, "PIPELINE", steps)
    return done


def test_what_variants_share_is_made_once_and_a_study_goes_on(made, tmp_path):
    study = Study(("select.method=k-center,random",), seeds=2)
    run_ablate(DEMO, [], str(tmp_path), study, dry_run=False)
    assert {name: made.count(name) for name in made} == {"select": 2, "train": 4, "evaluate": 4}
    run_ablate(DEMO, [], str(tmp_path), study, dry_run=False)
    assert len(made) == 10
    found = json.loads((tmp_path / "ablation" / "results.json").read_text())
    assert [(run["label"], run["seed"]) for run in found["runs"]] == [
        (f"select.method={method}", seed) for method in ("k-center", "random") for seed in (0, 1)
    ]
    first, second = found["rows"]
    assert first["pass_at_1"] == 1.0 and second["pass_at_1"] == second["seeds_low"] == 0.5
    assert second["difference"] == -0.5 and second["low"] < -0.5 < second["high"] <= 0
    assert (
        "| select.method=random | 50.0 | 50.0 to 50.0 (2) | -50.0 |" in (tmp_path / "ablation" / "table.md").read_text()
    )
    assert (tmp_path / "ablation" / "plot.svg").read_text().startswith("<svg")


def test_a_dry_run_makes_nothing(made, tmp_path):
    run_ablate(DEMO, [], str(tmp_path / "new"), Study(("tasks=all,-repair",)), dry_run=True)
    assert not made and not (tmp_path / "new").exists()


def test_a_study_of_one_run_is_refused_before_it(made, tmp_path):
    with pytest.raises(ValueError, match="nothing to compare: vary a setting"):
        run_ablate(DEMO, [], str(tmp_path), Study(()), dry_run=False)
    assert not made


def test_a_problems_value_is_its_mean_over_the_seeds():
    found = [{"label": label, "seed": seed, "scores": {"b": {"x": x, "y": 1.0}}}
             for label, seed, x in (("one", 0, 0.0), ("one", 1, 1.0), ("two", 0, 0.0), ("two", 1, 0.0))]  # fmt: skip
    one, two = compare_variants(found)
    assert one["pass_at_1"] == 0.75 and (one["seeds_low"], one["seeds_high"]) == (0.5, 1.0)
    assert two["difference"] == -0.25
    assert table_of([one, two]).count("\n") == 4


@pytest.mark.parametrize("file", sorted((ROOT / "configs" / "ablations").glob("*.yaml")), ids=lambda file: file.stem)
def test_the_ready_studies_are_valid(file):
    study = read_study(str(file))
    base = load_config(study.recipe, list(study.overrides))
    for variant in variants(study.vary, base):
        load_config(study.recipe, [*study.overrides, *variant.overrides])
    assert study.seeds == 3


@pytest.mark.parametrize("text", ["recipe: a.yaml\nvary: [tasks]\n", "recipe: a.yaml\nvary: [tasks\n", "vary: \x80"])
def test_a_study_of_another_form_is_one_line(tmp_path, text):
    file = tmp_path / "study.yaml"
    file.write_text(text, encoding="latin-1")
    with pytest.raises(ValueError, match="it should hold recipe, vary"):
        read_study(str(file))
    assert ablate.main(["--vary", "tasks=all"]) == 2
