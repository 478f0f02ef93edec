"""Tokenizers of every family give code back, whatever class their folder names, and text never becomes special."""

import json

import pytest
from tokenizers import Tokenizer, normalizers
from transformers import AutoTokenizer, LlamaConfig, Qwen2Config

from serve.engines.literal import literal_tokenizer
from tests.training.tokenizer_files import FAMILIES, byte_level, unigram, write_tokenizer
from training.examples import IGNORED, tokenize_instance, tokenize_instances
from training.model import load_tokenizer
from training.template import chat_template_for, to_messages
from training.tokenizer import LossyTextError, encoder_of, save_tokenizer

CODE = "class A:\n\tdef f(self):\n\t\treturn {'k': [1,  2]}\n\n\n    # ünï → 日本 🙂\n  x = 1 \n"
ROW = {"instruction": "Sum\tup  two.", "input": "", "output": CODE}
LABELS = [(LlamaConfig, "LlamaTokenizerFast"), (Qwen2Config, "PreTrainedTokenizerFast"),
          (LlamaConfig, "CodeLlamaTokenizer"), (Qwen2Config, "GPT2Tokenizer"), (LlamaConfig, "GemmaTokenizerFast")]  # fmt: skip


def learnt(tokenizer, row):
    """What a reader of the served answer would see."""
    example = tokenize_instance(row, tokenizer, 2000)
    start = sum(label == IGNORED for label in example.labels)
    before, whole = (tokenizer.decode(ids) for ids in (example.input_ids[:start], example.input_ids))
    return whole.removeprefix(before)


@pytest.fixture(scope="module")
def files():
    return {name: make() for name, make in FAMILIES.items()}


@pytest.mark.parametrize(("config", "label"), LABELS, ids=[label for _, label in LABELS])
@pytest.mark.parametrize("family", FAMILIES)
def test_code_is_learnt_as_it_is_whatever_class_the_folder_names(files, family, label, config, tmp_path):
    folder = write_tokenizer(tmp_path, files[family], tokenizer_class=label, legacy=True)
    config(vocab_size=700).save_pretrained(folder)
    tokenizer = load_tokenizer(folder)
    assert learnt(tokenizer, ROW) == f"{CODE}</s>"
    ids = Tokenizer.from_file(f"{folder}/tokenizer.json").encode(CODE, add_special_tokens=False).ids
    assert tokenizer(CODE, add_special_tokens=False).input_ids == ids


@pytest.mark.parametrize("family", FAMILIES)
def test_trained_prompts_are_those_of_the_exported_folder(files, family, tmp_path):
    base = write_tokenizer(tmp_path / "base", files[family], tokenizer_class="LlamaTokenizer", legacy=True)
    LlamaConfig(vocab_size=700).save_pretrained(base)
    ours = load_tokenizer(base)
    LlamaConfig(vocab_size=700).save_pretrained(tmp_path / "tuned")
    save_tokenizer(ours, tmp_path / "tuned")
    exported = AutoTokenizer.from_pretrained(tmp_path / "tuned")
    for input_ in ("", "  a\tb\n"):
        chat = to_messages("Sum up.", input_)
        served = exported.apply_chat_template(chat, add_generation_prompt=True, return_dict=False)
        assert encoder_of(ours).prompt(ours, chat) == served
        assert (served[0] == ours.bos_token_id) == (not family.startswith("byte"))
    assert chat_template_for(str(tmp_path / "tuned")) is None


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("text", ["</s>", "a </s>b", "<s><s>\n", "<pad>", "<p><s>7</s></p>"])
def test_text_that_spells_a_special_token_stays_text(files, family, text, tmp_path):
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, files[family]))
    row = {"instruction": f"Explain {text}", "input": text, "output": f"It is {text}, {text}"}
    example = tokenize_instance(row, tokenizer, 2000)
    assert example.input_ids.count(tokenizer.eos_token_id) == 1
    assert example.input_ids[-1] == tokenizer.eos_token_id
    assert example.input_ids.count(tokenizer.bos_token_id) == (not family.startswith("byte"))
    assert learnt(tokenizer, row) == f"{row['output']}</s>"
    prompt = tokenizer.decode([i for i, label in zip(example.input_ids, example.labels, strict=True) if label < 0])
    assert prompt.count(text) == 2


def test_the_place_that_codellama_fills_is_text(files, tmp_path):
    """`CodeLlamaTokenizer` would put what stands behind it first, and add its own markers, in later rows too."""
    made = Tokenizer.from_str(files["prepend"].to_str())
    made.add_special_tokens(["▁<PRE>", "▁<SUF>", "▁<MID>", "▁<EOT>"])
    folder = write_tokenizer(tmp_path, made, tokenizer_class="CodeLlamaTokenizer", legacy=True)
    LlamaConfig(vocab_size=700).save_pretrained(folder)
    tokenizer, row = (
        load_tokenizer(folder),
        {"instruction": "Fill.", "input": "", "output": "def f():\n    <FILL_ME>\n"},
    )
    later = tokenize_instance(ROW, load_tokenizer(folder), 2000)
    assert learnt(tokenizer, row) == "def f():\n    <FILL_ME>\n</s>"
    assert tokenize_instance(ROW, tokenizer, 2000) == later


@pytest.mark.parametrize("text", ["<<s>> <s <s>>", "ababa", "abababa </s></s>"])
def test_special_tokens_inside_and_across_others_stay_text(files, text, tmp_path):
    """Broken up as a whole, `<<s>>` would still hold `<s>`, and `ababa` a second `aba`."""
    made = Tokenizer.from_str(files["byte-level"].to_str())
    made.add_special_tokens(["<<s>>", "<s", "aba"])
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, made))
    special = set(encoder_of(tokenizer).control.values())
    example = tokenize_instance({"instruction": text, "input": text, "output": text}, tokenizer, 2000)
    assert [number for number in example.input_ids if number in special] == [tokenizer.eos_token_id]
    assert tokenizer.decode(example.input_ids).count(text) == 3


@pytest.mark.parametrize("text", ["See ☃ 5.", "☃", "☃☃</s>☃", "<☃s> <s>☃"])
def test_a_special_token_of_one_character_stays_text(files, text, tmp_path):
    made = Tokenizer.from_str(files["byte-level"].to_str())
    made.add_special_tokens(["☃", "☃s"])
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, made))
    special = set(encoder_of(tokenizer).control.values())
    example = tokenize_instance({"instruction": text, "input": text, "output": text}, tokenizer, 2000)
    assert [number for number in example.input_ids if number in special] == [tokenizer.eos_token_id]
    assert tokenizer.decode(example.input_ids).count(text) == 3
    assert (
        literal_tokenizer(tokenizer).apply_chat_template(
            [{"role": "user", "content": f"{text}\n\n### Input:\n{text}"}],
            add_generation_prompt=True,
            return_dict=False,
        )
        == example.input_ids[: -len(learnt_ids(example))]
    )


def test_a_row_that_spells_a_special_token_that_is_a_byte_is_left_out(files, tmp_path):
    """The vocabulary's own § stands for a byte of many letters."""
    made = Tokenizer.from_str(files["byte-level"].to_str())
    made.add_special_tokens(["§"])
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, made))
    rows = [{"instruction": text, "input": "", "output": "a"} for text in ("Add.", "See § 5.")]
    assert tokenize_instances(rows, tokenizer, 900)[1]["changed_by_tokenizer"] == 1


def learnt_ids(example):
    return [label for label in example.labels if label != IGNORED]


def test_added_tokens_that_are_no_markers_stay_what_they_are(files, tmp_path):
    made = Tokenizer.from_str(files["byte-level"].to_str())
    made.add_tokens(["        ", "<|fim|>"])
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, made))
    ids = encoder_of(tokenizer).answer("x\n        y <|fim|>")
    assert tokenizer.convert_tokens_to_ids("        ") in ids
    assert tokenizer.convert_tokens_to_ids("<|fim|>") not in ids
    assert tokenizer.decode(ids) == "x\n        y <|fim|>"


def test_a_special_token_that_the_vocabulary_holds_as_text_leaves_the_row_out(tmp_path):
    tokenizer = load_tokenizer(write_tokenizer(tmp_path, unigram()))
    plain = {"instruction": "Add.", "input": "", "output": "a + b\n\tc"}
    assert learnt(tokenizer, plain) == "a + b\n\tc</s>"
    spelled, unknown = plain | {"output": "x </s> y"}, plain | {"output": "é"}
    with pytest.raises(LossyTextError):
        tokenize_instance(spelled, tokenizer, 900)
    examples, counts = tokenize_instances([plain, spelled, unknown], tokenizer, 900)
    assert len(examples) == 1
    assert counts == {"truncated": 0, "prompt_too_long": 0, "changed_by_tokenizer": 2}
    with pytest.raises(ValueError, match="none of 2 instances is given back by the tokenizer"):
        tokenize_instances([spelled, unknown], tokenizer, 900)


@pytest.mark.parametrize("loses", [
    normalizers.Lowercase(), normalizers.Strip(), normalizers.Replace("\t", " "), normalizers.Replace("  ", " "),
], ids=repr)  # fmt: skip
def test_a_tokenizer_that_loses_code_is_one_clear_line(loses, tmp_path):
    made = byte_level()
    made.normalizer = loses
    with pytest.raises(ValueError, match=r"^train.model .*: its tokenizer does not give code back: '") as refused:
        load_tokenizer(write_tokenizer(tmp_path, made))
    assert "\n" not in str(refused.value)


def test_a_model_that_an_engine_would_read_otherwise_is_not_served(files, tmp_path):
    folder = write_tokenizer(tmp_path, files["byte-level"], tokenizer_class="LlamaTokenizerFast")
    LlamaConfig(vocab_size=700).save_pretrained(folder)
    with pytest.raises(ValueError, match='rebuilds its tokenizer as LlamaTokenizer.*set "tokenizer_class"'):
        chat_template_for(folder)
    write_tokenizer(tmp_path, files["byte-level"])  # what the line says
    assert chat_template_for(folder) == load_tokenizer(folder).chat_template


def test_export_names_special_tokens_for_both_versions_of_transformers(files, tmp_path):
    tokenizer = load_tokenizer(write_tokenizer(tmp_path / "base", files["byte-level"],
                                               extra_special_tokens=["<|turn|>"]))  # fmt: skip
    (tmp_path / "tuned").mkdir()
    save_tokenizer(tokenizer, tmp_path / "tuned")
    described = json.loads((tmp_path / "tuned" / "tokenizer_config.json").read_text())
    assert described["tokenizer_class"] == "PreTrainedTokenizerFast"
    assert described["additional_special_tokens"] == ["<|turn|>"]
    assert "extra_special_tokens" not in described
    again = AutoTokenizer.from_pretrained(tmp_path / "tuned")
    assert again("<|turn|>").input_ids == tokenizer("<|turn|>").input_ids
    assert len(again("<|turn|>").input_ids) == 1
