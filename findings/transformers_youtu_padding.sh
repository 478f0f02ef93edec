#!/usr/bin/env bash
# transformers makes the padding token's embedding of a Youtu model zero whenever it loads one, whatever its file holds.
#
# The usual guess: from_pretrained gives the weights of the file.
# True: with transformers 5.19.0, YoutuPreTrainedModel._init_weights zeroes the padding row through `.data`, which does not
#   say that the weight has come from a file. With a tied head the padding token's logit is zero, too.
# Whom it hurts: who compares engines, or saves a loaded model again: the row is lost.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.19.0
cat > "$folder/padding.py" <<'PYTHON'
import tempfile

import torch
from safetensors.torch import load_file
from transformers import AutoConfig, AutoModelForCausalLM

sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 4,
         "num_key_value_heads": 4, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8,
         "qk_nope_head_dim": 8, "v_head_dim": 8, "vocab_size": 97, "pad_token_id": 0}
model = AutoModelForCausalLM.from_config(AutoConfig.for_model("youtu", **sizes))
with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    model.get_input_embeddings().weight[0] = 0.5
    model.save_pretrained(folder)
    stored = load_file(f"{folder}/model.safetensors")["model.embed_tokens.weight"]
    loaded = AutoModelForCausalLM.from_pretrained(folder).get_input_embeddings().weight
same = bool((stored[1:] == loaded[1:]).all())
print(f"row 0 in the file {float(stored[0].max())}, loaded {float(loaded[0].max())}; all other rows the same: {same}")
raise SystemExit(0 if float(stored[0].max()) == 0.5 and not loaded[0].any() and same else "it is no longer so")
PYTHON
"$folder/venv/bin/python" "$folder/padding.py"
