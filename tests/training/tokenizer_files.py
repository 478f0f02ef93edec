"""Tokenizers of each family, trained on the spot and written as their models' folders hold them."""

import json
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

PROMPT = (
    "Below is an instruction that describes a task. Write a response that appropriately completes the request.\n\n"
    "### Instruction:\n\n\n### Input:\n\n\n### Response:"
)
TEXTS = [Path(json.__file__).read_text(encoding="utf-8"), PROMPT]
SPECIAL = ["<pad>", "<s>", "</s>"]


def byte_level(*, prefix_space=False):
    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=600, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(TEXTS, trainer)
    return made


def sentencepiece_like(*, prefix):
    """Llama 2's form; `prefix`: the normalizer "Prepend", or a Metaspace scheme "always", "first", "never"."""
    made = Tokenizer(models.BPE(byte_fallback=True, fuse_unk=True, unk_token="<unk>"))
    made.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always", split=True)
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    special = ["<unk>", "<s>", "</s>", *bytes_]
    made.train_from_iterator(TEXTS, trainers.BpeTrainer(vocab_size=600, special_tokens=special, show_progress=False))
    start = [("<s>", made.token_to_id("<s>"))]
    made.post_processor = processors.TemplateProcessing(single="<s> $A", pair="<s> $A $B", special_tokens=start)
    described = json.loads(made.to_str())
    replaced = {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}
    if prefix == "Prepend":
        prepended = {"type": "Prepend", "prepend": "▁"}
        described |= {"pre_tokenizer": None, "normalizer": {"type": "Sequence", "normalizers": [prepended, replaced]}}
    else:
        described["pre_tokenizer"] |= {"prepend_scheme": prefix, "split": False}
    back = {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}
    strip = [] if prefix == "never" else [{"type": "Strip", "content": " ", "start": 1, "stop": 0}]
    described["decoder"] = {
        "type": "Sequence", "decoders": [back, {"type": "ByteFallback"}, {"type": "Fuse"}, *strip],
    }  # fmt: skip
    described["added_tokens"] = [token for token in described["added_tokens"] if token["content"] not in bytes_]
    return Tokenizer.from_str(json.dumps(described))


def unigram():
    """Its vocabulary holds the special tokens as pieces that no text is cheaper than."""
    made = Tokenizer(models.Unigram([("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("▁", -3.0)]
                                    + [(chr(code), -4.0) for code in (9, 10, *range(33, 127))], 0, False))  # fmt: skip
    made.pre_tokenizer, made.decoder = pre_tokenizers.Metaspace(), decoders.Metaspace()
    made.add_special_tokens(["<unk>", "<s>", "</s>"])
    return made


FAMILIES = {
    "byte-level": byte_level,
    "byte-level-prefix-space": lambda: byte_level(prefix_space=True),
    "prepend": lambda: sentencepiece_like(prefix="Prepend"),
    "metaspace-always": lambda: sentencepiece_like(prefix="always"),
    "metaspace-first": lambda: sentencepiece_like(prefix="first"),
    "metaspace-never": lambda: sentencepiece_like(prefix="never"),
}


def write_tokenizer(folder, made, **described):
    """`tokenizer.json` and its configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    made.save(str(folder / "tokenizer.json"))
    named = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>",
             "clean_up_tokenization_spaces": False}  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(named | described))
    return str(folder)
