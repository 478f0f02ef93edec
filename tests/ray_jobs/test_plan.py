"""`plan` and `pipeline --dry-run` refuse what cannot work, all of it at once, and leave nothing behind."""

import json

import pytest

from ray_jobs import cli

DEMO = "configs/demo.yaml"
SOURCE = "collect.sources=[{kind: folder, path: tests/data/functions}]"
COMMANDS = (["plan"], ["pipeline", "--dry-run"])


def called(capsys, command, run_dir, *overrides):
    sets = [part for override in (SOURCE, *overrides) for part in ("--set", override)]
    code = cli.main([*command, "--config", DEMO, "--run-dir", str(run_dir), *sets])
    captured = capsys.readouterr()
    return code, captured.out, [line for line in captured.err.splitlines() if line.startswith("wavecoder")]


@pytest.mark.parametrize("command", COMMANDS)
def test_nothing_is_made(capsys, tmp_path, command):
    code, out, _ = called(capsys, command, tmp_path / "new" / "run")
    assert code == 0
    assert "to do" in out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("setting", "key"),
    [
        ("embed.model=someone/encoder", "embed.model"),
        ("generate.generator.model=someone/teacher", "generate.generator.model"),
        ("generate.discriminator.model=someone/judge", "generate.discriminator.model"),
        ("train.model=someone/base", "train.model"),
        ("mix.answers={model: someone/stronger}", "mix.answers.model"),
        ("collect.filters.tokenizer=someone/tokens", "collect.filters.tokenizer"),
        ("serve.engine.adapters=/nowhere/adapters", "serve.engine.adapters"),
    ],
)
def test_a_model_that_is_not_there_is_refused_offline(capsys, tmp_path, command, setting, key):
    code, _, lines = called(capsys, command, tmp_path / "run", setting)
    assert (code, len(lines)) == (2, 1)
    assert key in lines[0]
    assert not (tmp_path / "run").exists()


def test_all_models_that_are_not_there_are_named_at_once(capsys, tmp_path):
    code, _, lines = called(capsys, ["plan"], tmp_path / "run", "embed.model=a/b", "train.model=c/d")
    assert (code, len(lines)) == (2, 1)
    assert "embed.model is 'a/b'" in lines[0]
    assert "train.model is 'c/d'" in lines[0]


def test_a_model_behind_an_endpoint_need_not_be_here(capsys, tmp_path):
    role = "{model: gpt-9, endpoint: 'http://127.0.0.1:9/v1'}"
    settings = [f"generate.{name}={role}" for name in ("generator", "discriminator")]
    assert called(capsys, ["plan"], tmp_path / "run", *settings)[0] == 0


@pytest.mark.parametrize(("more", "words"), [("preset: nobody", "there is no preset 'nobody'"), ("rules: {seed: maybe}", "rules.seed"),
                                             ("preset: mistral, thinking: true", "rules.thinking_on"), ("preset: anthropic, batch: true", "leave batch out")])  # fmt: skip
def test_rules_of_an_endpoint_that_are_none_are_refused(capsys, tmp_path, more, words):
    role = f"{{model: gpt-9, endpoint: 'http://127.0.0.1:9/v1', {more}}}"
    code, _, lines = called(capsys, ["plan"], tmp_path / "run", f"generate.generator={role}")
    assert (code, len(lines)) == (2, 1)
    assert "generate.generator: " in lines[0] and words in lines[0]


def test_a_recipe_without_a_needed_section_names_all_of_them(capsys, tmp_path):
    (tmp_path / "mine.yaml").write_text(
        "run_dir: x\ncollect: {sources: [{kind: folder, path: tests/data/functions}]}\n"
    )
    code = cli.main(["plan", "--config", str(tmp_path / "mine.yaml")])
    assert code == 2
    assert "no section generate and no section train" in capsys.readouterr().err


def test_a_run_directory_that_could_not_be_made_is_refused(capsys, tmp_path):
    (tmp_path / "file").write_text("")
    code, _, lines = called(capsys, ["plan"], tmp_path / "file" / "run")
    assert code == 2
    assert "cannot be created" in lines[0]


def test_as_json_the_plan_is_one_line(capsys, tmp_path):
    code = cli.main(["plan", "--config", DEMO, "--run-dir", str(tmp_path / "run"), "--set", SOURCE, "--json"])
    stages = {stage["stage"]: stage for stage in json.loads(capsys.readouterr().out)["stages"]}
    assert code == 0
    assert stages["collect"]["state"] == "to do"
    assert stages["embed"]["each"]["CPU"] == 1
