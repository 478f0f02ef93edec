"""Every wrong setting is one line that names the key, the value and what is allowed."""

from pathlib import Path

import pytest

from ray_jobs.run.config import load_config

CONFIGS = Path(__file__).parents[3] / "configs"


@pytest.mark.parametrize("recipe", sorted(path.name for path in CONFIGS.glob("*.yaml")))
def test_shipped_recipes_are_valid(recipe):
    assert load_config(str(CONFIGS / recipe), []).run_dir


def test_overrides_are_typed_and_deep():
    config = load_config(str(CONFIGS / "demo.yaml"), ["select.size=7", "serve.engine.max_num_seqs=3"], "elsewhere")
    assert (config.select.size, config.serve.engine.max_num_seqs, config.run_dir) == (7, 3, "elsewhere")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("select.sise=7", "unknown key select.sise; allowed there: size, method, metric, first, seed"),
        ("select.size=many", 'select.size is "many"; Input should be a valid integer'),
        ("select.size=-1", "select.size is -1; Input should be greater than 0"),
        ("select.size=true", "select.size is true"),
        ("embed.dtype=int8", "embed.dtype is \"int8\"; Input should be 'float32' or 'float16'"),
        ("select.size", "should read section.key=value"),
        ("run_dir.x=1", "run_dir is a value, not a section"),
        ("collect.sources=[]", "collect.sources"),
        ("=3", "should read section.key=value"),
        ("select.sise=7", "did you mean size?"),
        ("embed.batch=9", "did you mean tokens_per_batch?"),
        ("round_size=9", "did you mean generate.round_size?"),
        ("collect.sources.0.languges=[go]", "allowed there: kind, path, languages"),
        ("collect.sources.3.path=x", "3 should be the number of an entry, 0 to 0"),
        ("train.learning_rate=3e-4", "it was read as text: write 0.0003, without quotes"),
        ("select.first=middle", "select.first is \"middle\"; Input should be a valid integer or 'central'"),
        ("embed={model: a, model: b}", "model is given on line 1"),
        (".select.size=3", "--set '.select.size=3' should read section.key=value"),
        ("select..size=3", "should read section.key=value"),
        ("report.title=12", "report.title is 12; Input should be text; put it in quotes"),
        ("report.title=a: b", 'report.title is {"a": "b"}; Input should be text; put it in quotes'),
        ("ray.offline='yes'", 'ray.offline is "yes"; Input should be true or false, without quotes'),
        ("ray.offline=0", "ray.offline is 0; Input should be true or false"),
        (
            "collect.sources=[{kind: folder, path: x, languages: python}]",
            'collect.sources.0.languages is "python"; Input should be a list, such as [python]',
        ),
        ("collect.sources={kind: folder, path: x}", "Input should be a list"),
        ("select=x", 'select is "x"; Input should be a mapping of keys to values'),
        ("collect.sources.0.languages=[Python]", "'typescript' or 'rust'; did you mean python?"),
        ("collect.sources.0.languages=[py]", "did you mean python?"),
        ("collect.sources.0.languages=[no]", "languages.0 is false; Input should be 'python'"),
        ("embed.dtype=flaot16", "did you mean float16?"),
        ("train.learning_rate=.inf", "train.learning_rate is Infinity; Input should be a finite number"),
        ("run_dir=", "run_dir is null; Input should be text"),
        ("run_dir=''", 'run_dir is ""; it names no folder'),
        ("run_dir=' runs/x'", "white space around it"),
        ("run_dir=$HOME/runs", "a recipe knows no variables: write the path out, or name it by --run-dir"),
        ("run_dir=${TMPDIR}/x", "a recipe knows no variables"),
    ],
)
def test_wrong_setting_is_one_clear_line(override, message):
    with pytest.raises(ValueError) as error:
        load_config(str(CONFIGS / "demo.yaml"), [override])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("override", ["collect.sources.0.languages=[no]", "collect.sources.0.pth=x"])
def test_one_fault_inside_a_list_is_one_fault(override):
    """Pydantic counts the entry that it could not read as one that is missing."""
    assert "settings are wrong" not in refused(str(CONFIGS / "demo.yaml"), override)


def test_white_space_around_the_name_of_a_setting_does_not_count():
    assert load_config(str(CONFIGS / "demo.yaml"), [" select.size = 7"]).select.size == 7


def written(tmp_path, text):
    recipe = tmp_path / "mine.yaml"
    recipe.write_text(text)
    return str(recipe)


def refused(path, *overrides, run_dir=None):
    with pytest.raises((ValueError, OSError)) as error:
        load_config(path, list(overrides), run_dir)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_section_given_twice_is_refused_with_its_lines(tmp_path):
    text = (CONFIGS / "demo.yaml").read_text()
    lines = text.splitlines()
    first = lines.index("select:") + 1
    said = refused(written(tmp_path, f"{text}\nselect:\n  size: 40\n"))
    assert f"mine.yaml: select is given on lines {first} and {len(lines) + 2}" in said


def test_every_fault_is_shown_with_where_it_was_given(tmp_path):
    text = (CONFIGS / "demo.yaml").read_text().replace("  size: 80", "  sise: 80").replace("epochs: 1", "epochs: no")
    path, lines = written(tmp_path, text), text.splitlines()
    said = refused(path, "embed.dtype=int8", "collect.sample=2")
    assert said.startswith("4 settings are wrong: (1) ")
    assert f"{path}, line {lines.index('  sise: 80') + 1}: unknown key select.sise" in said
    assert f"{path}, line {lines.index('  epochs: no') + 1}: train.epochs is false" in said
    assert '--set embed.dtype=int8: embed.dtype is "int8"' in said
    assert "--set collect.sample=2: collect.sample is 2" in said
    assert "more)" not in said


def test_a_fault_of_an_override_is_not_blamed_on_the_file(tmp_path):
    said = refused(str(CONFIGS / "demo.yaml"), "select.size=-3")
    assert said.startswith("--set select.size=-3: select.size is -3")
    assert "demo.yaml" not in said
    assert refused(str(CONFIGS / "demo.yaml"), "serve={engine: {dtype: 7}}").startswith("--set serve={engine:")
    # the last of two overrides of one key is what counts
    assert load_config(str(CONFIGS / "demo.yaml"), ["select.size=x", "select.size=9"]).select.size == 9


def test_a_recipe_may_leave_out_the_sections_that_its_job_does_not_use(tmp_path):
    path = written(tmp_path, "run_dir: x\ncollect: {sources: [{kind: folder, path: y}]}\n")
    config = load_config(path, [])
    assert config.collect.sample == 1.0
    with pytest.raises(ValueError, match="the recipe has no section train, which this job needs"):
        _ = config.train
    with pytest.raises(ValueError, match="no section generate and no section train"):
        config.require("collect", "generate", "train")
    kept = written(tmp_path, config.model_dump_json())  # as it is kept in the run directory
    assert load_config(kept, []).collect == config.collect
    assert not hasattr(config, "nonsense")


def test_a_recipe_that_is_kept_names_no_port_that_nobody_named(tmp_path):
    def again(*overrides):
        return load_config(written(tmp_path, load_config(str(CONFIGS / "demo.yaml"), list(overrides)).as_yaml()), [])

    assert not again().serve.port_named
    assert again("serve.port=8000").serve.port_named
    assert again() == load_config(str(CONFIGS / "demo.yaml"), [])


def test_an_empty_section_stands_for_its_defaults(tmp_path):
    text = (CONFIGS / "demo.yaml").read_text().replace("\nreport:\n  title: WaveCoder demo\n", "\nreport:\n")
    assert load_config(written(tmp_path, text), []).report.title == "WaveCoder run"
    assert load_config(written(tmp_path, text), ["report.title=x"]).report.title == "x"


def test_an_entry_of_a_list_can_be_overridden():
    config = load_config(str(CONFIGS / "demo.yaml"), ["collect.sources.0.languages=[go]"])
    assert config.collect.sources[0].languages == ("go",)


def test_a_folder_in_the_place_of_a_recipe_is_told_as_one(tmp_path):
    (tmp_path / "config.yaml").write_text("")
    said = refused(str(tmp_path))
    assert f"--config {tmp_path} is a folder" in said
    assert f"it holds {tmp_path / 'config.yaml'}" in said


@pytest.mark.parametrize("text", ["2026-01-02: x", "? [1]\n: 2", "a: &a [*a]"])
def test_keys_that_are_no_text_are_one_clear_line(tmp_path, text):
    assert "mine.yaml" in refused(written(tmp_path, text))


def test_missing_recipe_is_one_clear_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_config(str(tmp_path / "none.yaml"), [])


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("configs/demo.yml", "did you mean configs/demo.yaml?"),
        ("configs/dmeo.yaml", "did you mean configs/demo.yaml?"),
        ("demo.yaml", "did you mean configs/demo.yaml?"),
        ("config/demo.yaml", "did you mean configs/demo.yaml?"),
        ("mine.yaml", "there is no such file in "),
    ],
)
def test_a_recipe_that_is_mistyped_is_told_with_what_was_meant(monkeypatch, name, said):
    monkeypatch.chdir(CONFIGS.parent)
    assert said in refused(name)


def test_a_recipe_that_is_looked_for_in_the_wrong_folder_is_told_with_the_folder(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert refused("configs/demo.yaml").startswith(f"--config configs/demo.yaml: there is no such file in {tmp_path}")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("name: Zo\xeb\n".encode("latin-1"), "is not UTF-8 text: line 1 holds byte 0xeb; save it as UTF-8"),
        ("a: 1\n".encode("utf-16"), "is not UTF-8 text"),
        (b"a:\n\tb: 1\n", "line 2, column 1: a tab cannot indent; use spaces"),
        (b"a: b: c\n", "is not YAML: mapping values are not allowed here, line 1, column 5"),
        (b"a: [" * 3000, "is not YAML: it is nested too deep"),
    ],
)
def test_a_file_that_is_no_yaml_is_told_with_the_line(tmp_path, content, said):
    (tmp_path / "mine.yaml").write_bytes(content)
    refusal = refused(str(tmp_path / "mine.yaml"))
    assert said in refusal
    assert "<unicode string>" not in refusal


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "\tx: 1"])
def test_file_that_is_no_recipe_is_one_clear_line(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ValueError) as error:
        load_config(str(tmp_path / "bad.yaml"), [])
    assert "\n" not in str(error.value)
