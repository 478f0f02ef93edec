"""Which of vLLM's parsers reads a model's calls of tools and its reasoning out of what it writes.

vLLM has a parser for each form, and leaves the choice to whoever starts it. The table follows its documentation (0.29,
"Tool Calling" and "Reasoning Outputs"), by the names that models are published under.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple


class Parsers(NamedTuple):
    """Names that vLLM knows; None: it reads none."""

    tool: str | None = None
    reasoning: str | None = None


FAMILIES: Sequence[tuple[str, Parsers]] = (
    (r"gpt-?oss", Parsers("openai", "openai_gptoss")),
    (r"deepseek-?r1-?distill", Parsers(None, "deepseek_r1")),
    (r"deepseek-?r1", Parsers("deepseek_v3", "deepseek_r1")),
    (r"deepseek-?v3\.1", Parsers("deepseek_v31", "deepseek_v3")),
    (r"deepseek-?v3\.2", Parsers("deepseek_v32", "deepseek_v3")),
    (r"deepseek-?v3", Parsers("deepseek_v3", None)),
    (r"qwen3-?coder", Parsers("qwen3_coder", None)),
    (r"qwen3.*(instruct-2507|embedding|reranker)", Parsers("hermes", None)),
    (r"qwen-?3", Parsers("hermes", "qwen3")),
    (r"qwq", Parsers("hermes", "deepseek_r1")),
    (r"qwen-?2\.5", Parsers("hermes", None)),
    (r"hermes-?[23]", Parsers("hermes", None)),
    (r"glm-?4\.[56]", Parsers("glm45", "glm45")),
    (r"glm-?4\.7", Parsers("glm47", "glm47")),
    (r"kimi-?k2", Parsers("kimi_k2", "kimi_k2")),
    (r"minimax-?m2", Parsers("minimax_m2", "minimax_m2")),
    (r"seed-?oss", Parsers("seed_oss", "seed_oss")),
    (r"magistral", Parsers("mistral", "mistral")),
    (r"mistral|mixtral|ministral|devstral", Parsers("mistral", None)),
    (r"llama-?4", Parsers("llama4_pythonic", None)),
    (r"(?<!code)llama-?3", Parsers("llama3_json", None)),
    (r"granite-?4", Parsers("granite4", None)),
    (r"granite-?3\.[23]", Parsers("granite", "granite")),
    (r"granite-?3", Parsers("granite", None)),
    (r"phi-?4-?mini", Parsers("phi4_mini_json", None)),
    (r"functiongemma", Parsers("functiongemma", None)),
    (r"olmo-?3", Parsers("olmo3", "olmo3")),
    (r"xlam", Parsers("xlam", None)),
    (r"jamba", Parsers("jamba", None)),
    (r"internlm-?2", Parsers("internlm", None)),
)
"""Part of a model's name, in any case → its parsers; the first that fits."""


def parsers_of(names: Sequence[str], tool: str | None, reasoning: str | None) -> Parsers:
    """The parsers that a model is served with.

    Args:
        names: what the model is called, best first.
        tool: parser of calls of tools: a name of vLLM's, "auto" by the model's family, or None.
        reasoning: the same of its reasoning.
    """
    family = next((one for name in names for part, one in FAMILIES if re.search(part, name, re.IGNORECASE)), Parsers())
    return Parsers(
        family.tool if tool == "auto" else tool,
        family.reasoning if reasoning == "auto" else reasoning,
    )


def names_of(name: str, source: str) -> list[str]:
    """What a model is called: where its weights come from says more than the name that clients ask for."""
    folder = Path(source)
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        named = [str(config.get(field) or "") for field in ("_name_or_path", "model_type")]
    except (OSError, ValueError, AttributeError):
        named = []
    return [folder.name, *(Path(each).name for each in named if each), name]
