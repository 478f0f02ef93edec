"""A model trained for a step and exported answers the same in our learner, in `transformers` and in vLLM."""

import json
import os
import subprocess
import sys

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, LlamaConfig, LlamaForCausalLM

from training.examples import tokenize_instances
from training.export import export_model
from training.model import build_learner, load_tokenizer
from training.optimizers import make_optimizer
from training.settings import TrainConfig
from training.step import train_steps

ENGINE = """
import json, sys
from vllm import LLM, SamplingParams
engine = LLM(sys.argv[1], dtype="float32", enforce_eager=True, max_model_len=256)
wanted = SamplingParams(max_tokens=1, temperature=0, prompt_logprobs=5)
found, = engine.generate([{"prompt_token_ids": json.loads(sys.argv[2])}], wanted, use_tqdm=False)
places = [{token: value.logprob for token, value in place.items()} for place in found.prompt_logprobs[1:]]
print(json.dumps(places))
"""
ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_CPU_NUM_OF_RESERVED_CPU": "0", "VLLM_ENABLE_V1_MULTIPROCESSING": "0",
               "VLLM_LOGGING_LEVEL": "ERROR"}  # fmt: skip


@pytest.mark.slow
@pytest.mark.engine
@pytest.mark.timeout(240)
def test_export_has_the_same_logits_everywhere(tiny_llama, rows, tmp_path):
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=512, hidden_size=128, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=512, bos_token_id=0, eos_token_id=1,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(tmp_path / "base")  # an engine's kernels want heads of 32 dimensions
    AutoTokenizer.from_pretrained(tiny_llama).save_pretrained(tmp_path / "base")
    settings = TrainConfig(model=str(tmp_path / "base"), max_length=256, lora_rank=4, learning_rate=1e-2)
    tokenizer = load_tokenizer(settings.model)
    examples, _ = tokenize_instances(rows, tokenizer, 256)
    learner = build_learner(settings, tokenizer, torch.device("cpu"))
    list(train_steps(learner, make_optimizer(learner, settings), examples, settings, tokenizer.pad_token_id, 0))
    export_model(learner, tokenizer, settings.model, str(tmp_path / "model"), {})

    ids = examples[0].input_ids
    exported = AutoModelForCausalLM.from_pretrained(tmp_path / "model", dtype=torch.float32)
    with torch.no_grad():
        logits = exported(torch.tensor([ids])).logits[0]
        ours = learner.causal.set_attn_implementation("eager") or learner.causal
        torch.testing.assert_close(ours(torch.tensor([ids])).logits[0], logits, atol=1e-5, rtol=0)
    command = [sys.executable, "-c", ENGINE, str(tmp_path / "model"), json.dumps(ids)]
    answered = subprocess.run(command, env=os.environ | ENVIRONMENT, capture_output=True, text=True, timeout=200)
    assert answered.returncode == 0, answered.stderr[-2000:]
    places = json.loads(answered.stdout.splitlines()[-1])
    expected = logits.log_softmax(-1)
    assert len(places) == len(ids) - 1
    for position, place in enumerate(places):
        for token, value in place.items():
            assert value == pytest.approx(float(expected[position, int(token)]), abs=1e-4)
