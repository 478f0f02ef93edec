"""Parsers of tools and reasoning: those that vLLM has, for the models that it names them for."""

import json
import re
from importlib.util import find_spec
from pathlib import Path

import pytest

from serve.engines.parsers import FAMILIES, names_of, parsers_of
from serve.engines.settings import EngineConfig, Model, llm_config


def known_to_vllm(package):
    source = (Path(find_spec("vllm").origin).parent / package / "__init__.py").read_text()
    return set(re.findall(r'^    "([\w.-]+)": \(', source, re.MULTILINE))


def test_vllm_has_every_parser_of_the_table():
    assert {parsers.tool for _, parsers in FAMILIES} - {None} <= known_to_vllm("tool_parsers")
    assert {parsers.reasoning for _, parsers in FAMILIES} - {None} <= known_to_vllm("reasoning")


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("Qwen/Qwen3-8B", ("hermes", "qwen3")), ("Qwen/Qwen3-Coder-30B-A3B-Instruct", ("qwen3_coder", None)),
        ("Qwen/Qwen3-4B-Instruct-2507", ("hermes", None)), ("Qwen/Qwen2.5-Coder-7B-Instruct", ("hermes", None)),
        ("deepseek-ai/DeepSeek-R1-Distill-Qwen-7B", (None, "deepseek_r1")),
        ("meta-llama/Llama-3.1-8B-Instruct", ("llama3_json", None)), ("openai/gpt-oss-20b", ("openai", "openai_gptoss")),
        ("codellama/CodeLlama-7b-hf", (None, None)), ("deepseek-ai/deepseek-coder-6.7b-base", (None, None)),
        ("bigcode/starcoder2-15b", (None, None)), ("SmolLM2-135M-Instruct", (None, None)),
        ("mistralai/Magistral-Small-2506", ("mistral", "mistral")),
    ],
)  # fmt: skip
def test_auto_goes_by_the_family(name, expected):
    assert parsers_of([name], "auto", "auto") == expected
    assert parsers_of([name], None, "qwen3") == (None, "qwen3")


def test_a_tuned_model_is_known_by_what_its_folder_says(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"_name_or_path": "x/Qwen3-8B", "model_type": "qwen3"}))
    assert parsers_of(names_of("wavecoder", str(tmp_path)), "auto", "auto") == ("hermes", "qwen3")
    (tmp_path / "config.json").write_text("[]")
    assert names_of("wavecoder", str(tmp_path)) == [tmp_path.name, "wavecoder"]


def test_vllms_server_is_told_of_them():
    def arguments(**settings):
        return llm_config(Model("m", "Qwen/Qwen3-8B"), EngineConfig(**settings), {})["engine_kwargs"]

    told = arguments()
    assert (told["enable_auto_tool_choice"], told["tool_call_parser"]) == (True, "hermes")
    assert told["reasoning_parser"] == "qwen3"
    assert not arguments(tool_parser=None, reasoning_parser=None).keys() & {"tool_call_parser", "reasoning_parser"}
    assert arguments(extra={"tool_call_parser": "xlam"})["tool_call_parser"] == "xlam"
