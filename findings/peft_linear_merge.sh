#!/usr/bin/env bash
# Two LoRA adapters merged half and half by "linear" are not the mean of the two: half of what comes out is in neither.
#
# The usual guess: `add_weighted_adapter(["a", "b"], [0.5, 0.5], combination_type="linear")` makes 0.5 a + 0.5 b, as
#   averaging the two merged models would.
# True: with peft 0.21.2 "linear" adds the factors A and B, each times the root of the weight, and an update is B A. Besides
#   half of each update it holds half of B of the one times A of the other, which no training has made. For two random
#   adapters the result is as far from the mean as the mean is from nothing. "cat" gives the mean, at twice the rank.
# Whom it hurts: who merges adapters of tasks, or of checkpoints, and takes the worse model for the tasks' conflict.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check numpy torch==2.13.0 transformers==5.19.0 peft==0.21.2
"$folder/venv/bin/python" - <<'PYTHON'
from importlib.metadata import version

import torch
from peft import LoraConfig, get_peft_model

torch.manual_seed(0)
config = LoraConfig(r=8, lora_alpha=8, target_modules=["0"], init_lora_weights=False)
model = get_peft_model(torch.nn.Sequential(torch.nn.Linear(256, 256, bias=False)), config, adapter_name="a")
model.add_adapter("b", config)
layer = model.base_model.model[0]


@torch.no_grad()
def distance(kind, names, weights):
    """How far a merge is from the weighted sum of the updates, as a share of that sum."""
    wanted = sum(weight * layer.get_delta_weight(name) for name, weight in zip(names, weights, strict=True))
    merged = f"merge_{len(model.peft_config)}"
    model.add_weighted_adapter(names, weights, merged, combination_type=kind)
    found = layer.get_delta_weight(merged)
    share = float((found - wanted).norm() / wanted.norm())
    print(f"{kind} of {names} by {weights}: off by {share:.0%} of the weighted sum")
    return round(share, 1)


print("peft", version("peft"), "torch", torch.__version__)
found = [distance("linear", ["a", "b"], [0.5, 0.5]), distance("linear", ["a", "b"], [1.0, 1.0]),
         distance("cat", ["a", "b"], [0.5, 0.5]), distance("linear", ["a"], [0.5])]
raise SystemExit(0 if found == [1.0, 1.0, 0.0, 0.0] else "adapters are merged otherwise now")
PYTHON
