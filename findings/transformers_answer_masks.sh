#!/usr/bin/env bash
# transformers' mask of the assistant's tokens ends inside the last character of an answer, where that is several tokens.
#
# The usual guess: with {% generation %} in the chat template, `return_assistant_tokens_mask` marks all tokens of the
#   answers, and trl's `assistant_only_loss`, which is built on it, learns them.
# True: with transformers 5.19.0 the last token that is marked is the first one of the answer's last character. A
#   byte-level tokenizer has several for an emoji, or a letter that it did not learn: "done ✅" is learnt as "done" and a
#   byte or two of "✅". The text, the ids and the number of marked answers are right; only decoding what is marked shows it.
#   Where the marked part ends with a token of its own (`<|im_end|>` inside the marks), nothing is lost.
# Whom it hurts: who marks the content alone, and trains on chats or on text that is not Latin: the model learns to begin
#   a character and not to finish it.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  transformers==5.19.0 tokenizers==0.23.3 jinja2==3.1.6
HF_HUB_OFFLINE=1 TRANSFORMERS_VERBOSITY=error "$folder/venv/bin/python" - <<'PYTHON'
import json
from importlib.metadata import version
from pathlib import Path

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

made = Tokenizer(models.BPE())
made.pre_tokenizer, made.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
trainer = trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                              special_tokens=["<|user|>", "<|assistant|>", "<|end|>"], show_progress=False)
made.train_from_iterator([Path(json.__file__).read_text()], trainer)
ANSWER = {"{{ m.content }}<|end|>": "{% generation %}{{ m.content }}{% endgeneration %}<|end|>",
          "{{ m.content }}<|end|> in the marks": "{% generation %}{{ m.content }}<|end|>{% endgeneration %}"}
CHAT = [{"role": "user", "content": "Done?"}, {"role": "assistant", "content": "done ✅"},
        {"role": "user", "content": "Say yes in Russian."}, {"role": "assistant", "content": "да"}]
print("transformers", version("transformers"))
learnt = []
for form, answer in ANSWER.items():
    template = ("{% for m in messages %}{% if m.role == 'assistant' %}<|assistant|>" + answer
                + "{% else %}<|user|>{{ m.content }}<|end|>{% endif %}{% endfor %}")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=made, chat_template=template, eos_token="<|end|>")
    found = tokenizer.apply_chat_template(CHAT, return_assistant_tokens_mask=True, return_dict=True)
    ids, mask = found["input_ids"], found["assistant_masks"]
    learnt.append(tokenizer.decode([token for token, marked in zip(ids, mask) if marked]))
    print(f"{form}: of {tokenizer.decode(ids)!r}\n  is marked {learnt[-1]!r}")
cut, whole = learnt
as_seen = cut.startswith("done ") and "✅" not in cut and "да" not in cut and whole == "done ✅<|end|>да<|end|>"
raise SystemExit(0 if as_seen else "other tokens are marked now")
PYTHON
