#!/usr/bin/env bash
# A model saved by transformers 5 opens in transformers 4 without a word, and has other rotary positions.
#
# The usual guess: config.json says how a model is to be computed; a release that does not know a field either
#   refuses it or warns, and the base of the rotary positions has been `rope_theta` since the first Llama.
# True: transformers 5.19.0 writes `rope_parameters` alone. transformers 4.57.3 keeps that as an unknown attribute,
#   takes its default of 10,000 for `rope_theta`, drops scaling, and answers with other logits. It says nothing.
# Whom it hurts: whoever tunes with transformers 5 and hands the folder to tools that still pin transformers 4.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 transformers==5.19.0
cat > "$folder/logits.py" <<'PYTHON'
import json
import pathlib
import sys
import warnings

import torch
import transformers
from transformers import AutoConfig, AutoModelForCausalLM

folder, told = pathlib.Path(sys.argv[1]), []
warnings.showwarning = lambda message, *rest: told.append(str(message))
if sys.argv[2] == "save":
    torch.manual_seed(0)
    config = AutoConfig.for_model(
        "llama", vocab_size=128, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=256,
        rope_parameters={"rope_type": "linear", "factor": 4.0, "rope_theta": 500000.0})
    made = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():
        for weight in made.parameters():  # as large as trained ones, so that positions matter
            weight.normal_(0.0, 0.3)
    made.save_pretrained(folder / "model")
    written = json.loads((folder / "model" / "config.json").read_text())
    print({name: written.get(name) for name in ("rope_parameters", "rope_theta", "rope_scaling")})
model = AutoModelForCausalLM.from_pretrained(folder / "model").float().eval()
with torch.no_grad():
    logits = model(torch.arange(3, 103).reshape(1, -1), use_cache=False).logits
if sys.argv[2] == "save":
    torch.save(logits, folder / "logits.pt")
    print("transformers", transformers.__version__, "saved it")
else:
    apart = float((logits - torch.load(folder / "logits.pt")).abs().max() / logits.abs().max())
    config = model.config
    print("transformers", transformers.__version__, "rope_theta", config.rope_theta, "rope_scaling", config.rope_scaling)
    print(f"logits differ by {apart:.0%} of the largest; words about rope in warnings: {sum('rope' in x for x in told)}")
    unchanged = apart > 0.05 and config.rope_theta == 10000.0 and config.rope_scaling is None
    raise SystemExit(0 if unchanged else "it is opened as it was saved now, or refused")
PYTHON
"$folder/venv/bin/python" "$folder/logits.py" "$folder" save 2>/dev/null
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check transformers==4.57.3
"$folder/venv/bin/python" "$folder/logits.py" "$folder" open 2>"$folder/said" || { cat "$folder/said"; exit 1; }
grep -i rope "$folder/said" && { echo "a warning names the positions now"; exit 1; }
echo "standard error says nothing of the positions"
