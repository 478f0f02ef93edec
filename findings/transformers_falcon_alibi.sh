#!/usr/bin/env bash
# transformers' eager attention of Falcon adds the ALiBi bias twice; its default attention (SDPA) adds it once.
#
# The usual guess: attn_implementation="eager" is the plain reference that all other kernels are compared with.
# True: with transformers 5.19.0, FalconModel puts the bias into the causal mask for every attention, and FalconAttention
#   adds it to the scores again when it is eager. With half the bias, eager gives SDPA's logits to the last digits.
# Whom it hurts: who runs or tunes falcon-rw with eager attention, or takes it for the reference of another engine.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.19.0
cat > "$folder/alibi.py" <<'PYTHON'
import tempfile

import torch
from transformers import FalconConfig, FalconForCausalLM
from transformers.models.falcon import modeling_falcon

torch.manual_seed(0)
config = FalconConfig(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, vocab_size=97, alibi=True,
                      multi_query=False, bias=True, initializer_range=0.2)
model, ids = FalconForCausalLM(config).eval(), torch.arange(5, 30)[None]
with tempfile.TemporaryDirectory() as folder, torch.no_grad():
    model.save_pretrained(folder)
    logits = {kind: FalconForCausalLM.from_pretrained(folder, attn_implementation=kind).eval()(ids).logits
              for kind in ("eager", "sdpa")}
    whole = modeling_falcon.build_alibi_tensor
    modeling_falcon.build_alibi_tensor = lambda *given, **named: whole(*given, **named) / 2
    half = FalconForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()(ids).logits
apart = float((logits["eager"] - logits["sdpa"]).abs().max())
halved = float((half - logits["sdpa"]).abs().max())
print(f"eager and SDPA differ by {apart:.4f}, eager with half the bias and SDPA by {halved:.7f}")
raise SystemExit(0 if apart > 1e-3 and halved < 1e-5 else "it is no longer so")
PYTHON
"$folder/venv/bin/python" "$folder/alibi.py"
