"""Every wrong setting is one line that names the key, the value and what is allowed."""

from pathlib import Path

import pytest

from ray_jobs.config import load_config

CONFIGS = Path(__file__).parents[2] / "configs"


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
    ],
)
def test_wrong_setting_is_one_clear_line(override, message):
    with pytest.raises(ValueError) as error:
        load_config(str(CONFIGS / "demo.yaml"), [override])
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_missing_recipe_is_one_clear_line(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no such file"):
        load_config(str(tmp_path / "none.yaml"), [])


@pytest.mark.parametrize("text", ["a: [", "- 1", "", "\tx: 1"])
def test_file_that_is_no_recipe_is_one_clear_line(tmp_path, text):
    (tmp_path / "bad.yaml").write_text(text)
    with pytest.raises(ValueError) as error:
        load_config(str(tmp_path / "bad.yaml"), [])
    assert "\n" not in str(error.value)
