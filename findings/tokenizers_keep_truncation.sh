#!/usr/bin/env bash
# `save_pretrained` writes the last call's max_length into tokenizer.json, and other readers cut every text there.
#
# The usual guess: `tokenizer(text, truncation=True, max_length=8)` is a matter of that call. What is saved afterwards
#   is the tokenizer as it was loaded.
# True: with transformers 5.19.0 and tokenizers 0.23.3 a call sets truncation and padding on the tokenizer inside, and
#   they stay until the next call. `save_pretrained` writes them. AutoTokenizer does not apply them again, so a test of
#   the saved folder shows nothing. The tokenizers library, and all that read the file by it, cut each text to 8 tokens
#   and fill the short ones up. There is no warning.
# Whom it hurts: who trains with short prompts or cut evaluation texts, saves, and serves by a reader in Rust or
#   JavaScript: embeddings of long texts lose their ends, a token count stops at 8, and the weights look guilty.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==5.19.0 tokenizers==0.23.3
cat > "$folder/saved.py" <<'PYTHON'
import pathlib
import sys
from importlib.metadata import version

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import AutoTokenizer, PreTrainedTokenizerFast

LONG, SHORT = "one two three " * 20, "one"
folder = pathlib.Path(sys.argv[1])
inside = Tokenizer(models.BPE())
inside.pre_tokenizer, inside.decoder = pre_tokenizers.ByteLevel(), decoders.ByteLevel()
trainer = trainers.BpeTrainer(special_tokens=["<pad>"], initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
inside.train_from_iterator([LONG] * 3, trainer)
tokenizer = PreTrainedTokenizerFast(tokenizer_object=inside, pad_token="<pad>")


def lengths(name):
    tokenizer.save_pretrained(folder / name)
    read = Tokenizer.from_file(str(folder / name / "tokenizer.json"))
    again = AutoTokenizer.from_pretrained(folder / name)
    texts = (LONG, SHORT)
    return [len(read.encode(text).ids) for text in texts], [len(again(text).input_ids) for text in texts]


print("transformers", version("transformers"), "tokenizers", version("tokenizers"))
before, auto_before = lengths("before")
tokenizer(SHORT, truncation=True, max_length=8, padding="max_length")
after, auto_after = lengths("after")
print("tokens of a long and of a short text")
print(f"saved before a call with max_length=8: {before}, by AutoTokenizer {auto_before}")
print(f"saved after it:                        {after}, by AutoTokenizer {auto_after}")
unchanged = before == auto_before == auto_after and after == [8, 8] and before[0] > 8 > before[1]
raise SystemExit(0 if unchanged else "the saved tokenizer holds no call's settings now")
PYTHON
export HF_HUB_OFFLINE=1
"$folder/venv/bin/python" "$folder/saved.py" "$folder" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
