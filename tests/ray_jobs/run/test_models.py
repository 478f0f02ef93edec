"""Model names → folders, and the lines for those that lead nowhere."""

import pytest

from ray_jobs.run.models import PACKAGED, check_model, model_digest, resolve_model, served_name


def test_ids_pass_through_and_folders_become_absolute(tmp_path):
    assert (
        resolve_model("deepseek-ai/deepseek-coder-6.7b-base", "train.model") == "deepseek-ai/deepseek-coder-6.7b-base"
    )
    (tmp_path / "config.json").write_text("{}")
    assert resolve_model(str(tmp_path), "train.model") == str(tmp_path)


@pytest.mark.parametrize("name", ["./nowhere", "/nowhere/at/all", "~/nowhere", "a/b/c", " ", "package:gpt-5"])
def test_a_name_that_leads_nowhere_names_the_key(name):
    with pytest.raises(ValueError, match=r"train\.model is") as caught:
        check_model(name, "train.model")
    assert "\n" not in str(caught.value)


def test_a_folder_without_a_model_is_none(tmp_path):
    with pytest.raises(ValueError, match="holds no config.json"):
        resolve_model(str(tmp_path), "embed.model")


@pytest.mark.parametrize("name", PACKAGED)
def test_packaged_models_are_there(name):
    check_model(name, "train.model")


def test_the_digest_changes_with_the_settings_and_the_weights(tmp_path):
    (tmp_path / "config.json").write_text("{}")
    first = model_digest(str(tmp_path))
    assert model_digest(str(tmp_path)) == first
    (tmp_path / "model.safetensors").write_bytes(b"0" * 10)
    assert model_digest(str(tmp_path)) != first
    assert model_digest("owner/name") == "owner/name"


@pytest.mark.parametrize(
    ("model", "name"),
    [("package:smollm2-135m-instruct", "smollm2-135m-instruct"), ("a/b", "b"), ("/x/y/", "y"), ("./model", "model")],
)
def test_clients_ask_for_the_last_part(model, name):
    assert served_name(model) == name
