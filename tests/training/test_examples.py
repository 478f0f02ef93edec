"""The paper's prompt, and the loss on the response alone."""

import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file

from training.examples import IGNORED, tokenize_instance, tokenize_instances
from training.model import build_learner, check_model, load_tokenizer
from training.settings import TrainConfig
from training.template import chat_template_for, install_chat_template, to_messages

WITHOUT_INPUT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\nAdd.\n\n### Response:"
)
WITH_INPUT = (
    "Below is an instruction that describes a task, paired with an input that provides further context. "
    "Write a response that appropriately completes the request.\n\n### Instruction:\nAdd.\n\n"
    "### Input:\n1 2\n\n### Response:"
)


@pytest.fixture(scope="module")
def tokenizer(model_folder):
    return load_tokenizer(model_folder)


@pytest.mark.parametrize(("input_", "expected"), [("", WITHOUT_INPUT), ("1 2", WITH_INPUT)])
def test_chat_template_is_the_papers_prompt(tokenizer, input_, expected):
    text = tokenizer.apply_chat_template(to_messages("Add.", input_), add_generation_prompt=True, tokenize=False)
    assert text == expected


def test_system_message_and_earlier_turns_are_kept(tokenizer):
    chat = [{"role": "system", "content": "Be brief."}, *to_messages("Add.", ""), {"role": "assistant", "content": "3"},
            *to_messages("Again.", "")]  # fmt: skip
    text = tokenizer.apply_chat_template(chat, add_generation_prompt=True, tokenize=False)
    assert text.startswith("Be brief.\n\nBelow is")
    assert "### Response:3</s>\n\nBelow" in text
    assert text.endswith("### Instruction:\nAgain.\n\n### Response:")


def test_loss_is_on_the_response_and_the_end_alone(tokenizer):
    example = tokenize_instance({"instruction": "Add.", "input": "", "output": "x + 1"}, tokenizer, 512)
    learnt = [token for token, label in zip(example.input_ids, example.labels, strict=True) if label != IGNORED]
    assert tokenizer.decode(learnt) == "x + 1</s>"
    prompt = example.input_ids[: -len(learnt)]
    assert prompt == tokenizer(WITHOUT_INPUT, add_special_tokens=False).input_ids
    assert all(label in {IGNORED, token} for token, label in zip(example.input_ids, example.labels, strict=True))


def test_cut_off_response_is_counted_and_a_prompt_too_long_is_dropped(tokenizer, rows):
    whole = tokenize_instance(rows[0], tokenizer, 512)
    assert tokenize_instance(rows[0], tokenizer, len(whole.input_ids)) == whole
    cut = tokenize_instance(rows[0], tokenizer, len(whole.input_ids) - 1)
    assert cut.truncated
    assert cut.input_ids == whole.input_ids[:-1]
    assert tokenize_instance(rows[0], tokenizer, 5) is None
    long = {"instruction": "x " * 2000, "input": "", "output": "y"}
    examples, counts = tokenize_instances([rows[0], long], tokenizer, len(whole.input_ids) - 1)
    assert (len(examples), counts) == (1, {"truncated": 1, "prompt_too_long": 1})


def test_nothing_that_fits_is_one_clear_line(tokenizer, rows):
    with pytest.raises(ValueError, match="none of 12 instances leaves room"):
        tokenize_instances(rows, tokenizer, 5)


def test_tokenizer_without_an_end_is_refused(model_folder):
    tokenizer = load_tokenizer(model_folder)
    tokenizer.eos_token = None
    with pytest.raises(ValueError, match="no end-of-sequence token"):
        install_chat_template(tokenizer)


def test_path_that_is_no_model_is_one_clear_line(tmp_path, model_folder):
    with pytest.raises(ValueError, match="has no tokenizer that loads"):
        load_tokenizer(str(tmp_path))
    with pytest.raises(ValueError, match="is no causal language model that loads"):
        check_model(TrainConfig(model=str(tmp_path)), load_tokenizer(model_folder))


def test_tokenizer_larger_than_the_model_is_refused(model_folder):
    tokenizer = load_tokenizer(model_folder)
    tokenizer.add_tokens([f"<extra{n}>" for n in range(600)])
    with pytest.raises(ValueError, match="they do not belong together"):
        check_model(TrainConfig(model=model_folder, max_length=256), tokenizer)


def test_files_that_lack_weights_are_refused(model_folder, tokenizer, tmp_path):
    config = TrainConfig(model=str(tmp_path), max_length=256)
    shutil.copy(f"{model_folder}/config.json", tmp_path)
    with pytest.raises(ValueError, match="holds no safetensors; pickled weights are not loaded"):
        build_learner(config, tokenizer, torch.device("cpu"))
    weights = load_file(f"{model_folder}/model.safetensors")
    del weights["model.layers.1.mlp.up_proj.weight"]
    save_file(weights, tmp_path / "model.safetensors")
    with pytest.raises(ValueError, match="lack 1 weights of its architecture, the first 'model.layers.1.mlp.up_proj"):
        build_learner(config, tokenizer, torch.device("cpu"))


def test_rows_longer_than_the_models_positions_are_refused(model_folder, tokenizer):
    with pytest.raises(ValueError, match="max_length is 2048 but train.model .* knows 512 positions; lower it"):
        check_model(TrainConfig(model=model_folder), tokenizer)


def test_a_model_without_a_chat_template_speaks_through_the_papers(model_folder, tokenizer, tmp_path):
    assert chat_template_for(model_folder) == tokenizer.chat_template  # the folder's own tokenizer has none
    tokenizer.save_pretrained(tmp_path)
    assert chat_template_for(str(tmp_path)) is None


def test_pickled_weights_alone_are_refused_with_what_converts_them(model_folder, tokenizer, tmp_path):
    shutil.copy(f"{model_folder}/config.json", tmp_path)
    (tmp_path / "pytorch_model.bin").write_bytes(b"")
    with pytest.raises(ValueError, match=r"pickled weights are not loaded. Convert them once.*save_pretrained\("):
        build_learner(TrainConfig(model=str(tmp_path), max_length=256), tokenizer, torch.device("cpu"))
