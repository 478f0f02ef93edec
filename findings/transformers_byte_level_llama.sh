#!/usr/bin/env bash
# transformers 5.19 rebuilds a byte-level tokenizer.json as a Llama tokenizer, and all white space is lost.
#
# The usual guess: where a tokenizer.json is there, it is what encodes; `tokenizer_class` in tokenizer_config.json only
#   names the Python class around it, as it did in transformers 4.
# True: with transformers 5.19.0 the names LlamaTokenizerFast and LlamaTokenizer replace the file's byte-level
#   pre-tokenizer by Metaspace, without a warning: code comes back as `defarea(r):return3.14*r**2`.
#   PreTrainedTokenizerFast and the tokenizers library keep it. transformers 5.24.0 warns and loads the file as it is.
# Whom it hurts: DeepSeek-Coder's files carry that name: code models trained or asked without any indentation.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.19.0 tokenizers==0.23.3
HF_HUB_OFFLINE=1 "$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

import transformers
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

CODE = "def area(r):\n    return 3.14 * r ** 2\n"
made = Tokenizer(models.BPE())
made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
made.decoder = decoders.ByteLevel()
alphabet = pre_tokenizers.ByteLevel.alphabet()
made.train_from_iterator([CODE], trainers.BpeTrainer(
    vocab_size=300, initial_alphabet=alphabet, special_tokens=["<s>", "</s>"], show_progress=False))
folder = pathlib.Path(sys.argv[1], "model")
folder.mkdir()
made.save(str(folder / "tokenizer.json"))
(folder / "config.json").write_text(json.dumps({"model_type": "llama"}))


def there_and_back(name):
    config = {"tokenizer_class": name, "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    text = tokenizer.decode(tokenizer(CODE, add_special_tokens=False)["input_ids"])
    print(f"{name}: {text!r} by {type(tokenizer.backend_tokenizer.pre_tokenizer).__name__}")
    return text


print("transformers", transformers.__version__)
print(f"tokenizers alone: {made.decode(made.encode(CODE).ids)!r}")
lost, kept = there_and_back("LlamaTokenizerFast"), there_and_back("PreTrainedTokenizerFast")
unchanged = lost == "".join(CODE.split()) and kept == CODE == made.decode(made.encode(CODE).ids)
raise SystemExit(0 if unchanged else "white space is no longer lost")
PYTHON
