"""Embed: rows and tokens a second through the whole stage, against `SentenceTransformer.encode` on the same rows.

`python -m bench.embedding [--sizes N …] [--model NAME] [--roberta-large LAYERS]` prints one JSON object. Rows are
documented functions of this Python's standard library. The stage reads Parquet, tokenises, encodes on Ray Data's actors
and writes Parquet; the baseline is one call of the library on texts in memory, at its own batch size of 32. Both run in
turn, with their fixed costs: the stage starts workers and an actor that loads the model, the baseline loads the model
here. `start_seconds` is what the stage takes for one row, so that a reader can tell cost from rate.

`--roberta-large` takes random weights of that architecture with so many layers (24 is all of it) and a tokenizer
trained on the spot: the paper's encoder in size, for a machine that has no copy of it. `--bare` leaves Ray out: the
encoder alone, tokenisation included, against the same baseline. FLOP: 2 for each weight outside the
embedding tables and token, and 4·L·T·D for the attention of a row of T tokens.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import torch
from pyarrow import fs as pafs

from bench.machine import describe_machine
from bench.random_llama import code_tokenizer, documented_functions
from codeocean.embed.batches import padding_share
from codeocean.embed.encoder import Encoder, Tokenizer, load_model, row_texts
from codeocean.embed.settings import EmbedConfig
from core.storage import write_part
from ray_jobs.run.models import resolve_model
from training.flops import matrix_flops

ROWS_PER_PART = 1_000


def functions(count: int) -> pa.Table:
    """RAW_CODE rows of documented functions of the standard library."""
    from codeocean.collect.readers import list_units, read_unit
    from codeocean.collect.settings import FolderSource
    from codeocean.records import RAW_CODE

    tables, found = [], 0
    for unit in list_units(FolderSource(kind="folder", path="stdlib", languages=("python",))):
        for batch in read_unit(unit):
            rows = pa.Table.from_batches([batch])
            tables.append(rows.filter(pa.compute.equal(rows["reason"], "")).select(RAW_CODE.names))
            found += tables[-1].num_rows
        if found >= count:
            break
    return pa.concat_tables(tables).slice(0, count)


def roberta_large(layers: int, folder: Path) -> str:
    """A model folder with random weights of roberta-large's architecture."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Pooling, Transformer
    from transformers import RobertaConfig, RobertaModel

    tokenizer = code_tokenizer()
    tokenizer.model_input_names = ["input_ids", "attention_mask"]
    tokenizer.model_max_length = 256
    config = RobertaConfig(
        vocab_size=50_265, hidden_size=1024, num_hidden_layers=layers, num_attention_heads=16, intermediate_size=4096,
        max_position_embeddings=514, type_vocab_size=1, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    torch.manual_seed(0)
    RobertaModel(config).save_pretrained(folder / "transformer")
    tokenizer.save_pretrained(folder / "transformer")
    first = Transformer(str(folder / "transformer"), max_seq_length=256)
    SentenceTransformer(modules=[first, Pooling(1024)], device="cpu").save(str(folder / "model"))
    return str(folder / "model")


def flop_per_token(model: Any, mean_length: float) -> float:
    """Of one forward pass."""
    tables = sum(module.weight.numel() for module in model.modules() if isinstance(module, torch.nn.Embedding))
    weights = sum(weight.numel() for weight in model.parameters()) - tables
    config = model[0].auto_model.config
    return 2.0 * weights + 4.0 * config.num_hidden_layers * config.hidden_size * mean_length


def stage_seconds(config: EmbedConfig, model: str, rows: pa.Table) -> float:
    """Seconds of the stage, reading and writing included."""
    from codeocean.embed.flow import embed

    fs = pafs.LocalFileSystem()
    with tempfile.TemporaryDirectory() as folder:
        for number, start in enumerate(range(0, rows.num_rows, ROWS_PER_PART)):
            write_part(fs, f"{folder}/raw/part-{number:05d}.parquet", rows.slice(start, ROWS_PER_PART), {})
        begun = time.perf_counter()
        done = embed(config, model, fs, f"{folder}/raw", f"{folder}/embed")
        assert done == rows.num_rows
        return time.perf_counter() - begun


def bare_seconds(config: EmbedConfig, model: str, rows: pa.Table) -> float:
    """Seconds of the encoder by itself, loading and tokenisation included as in the baseline."""
    begun = time.perf_counter()
    Encoder(model, config).encode_rows(rows)
    return time.perf_counter() - begun


def bare_rows(count: int) -> pa.Table:
    """Documented functions without our readers, whose parsers a bare card lacks."""
    return pa.Table.from_pylist(documented_functions(count))


def baseline_seconds(config: EmbedConfig, model: str, rows: pa.Table) -> float:
    """Seconds of the library's own `encode`."""
    begun = time.perf_counter()
    load_model(model).encode(row_texts(rows, config), normalize_embeddings=config.normalize)
    return time.perf_counter() - begun


def measure(count: int, model: str, options: argparse.Namespace) -> dict[str, Any]:
    """One size: stage and baseline in turn."""
    config = EmbedConfig(tokens_per_batch=options.tokens_per_batch, gpus_per_actor=float(torch.cuda.is_available()))
    rows, ours = (bare_rows(count), bare_seconds) if options.bare else (functions(count), stage_seconds)
    start = ours(config, model, rows.slice(0, 1))
    runs = [(ours(config, model, rows), baseline_seconds(config, model, rows)) for _ in range(options.runs)]
    count = rows.num_rows
    loaded = load_model(model)
    batches = Tokenizer(loaded, config).batches(row_texts(rows, config))
    tokens = sum(int(batch.lengths.sum()) for batch in batches)
    by_characters = sorted(zip(row_texts(rows, config), _lengths(batches), strict=True), key=lambda pair: -len(pair[0]))
    widths = [[length for _, length in by_characters[start : start + 32]] for start in range(0, count, 32)]
    seconds, baseline = (statistics.median(run[place] for run in runs) for place in (0, 1))
    low, size = (torch.bfloat16, 8192) if loaded.device.type == "cuda" else (torch.float32, 2048)
    reached = flop_per_token(loaded, tokens / count) * tokens / seconds
    return {
        "rows": rows.num_rows,
        "tokens": tokens,
        "rows_per_second": round(rows.num_rows / seconds, 1),
        "tokens_per_second": round(tokens / seconds),
        "baseline_rows_per_second": round(rows.num_rows / baseline, 1),
        "start_seconds": round(start, 1),
        "times_baseline": round(statistics.median(theirs / ours for ours, theirs in runs), 3),
        "padding": round(padding_share(_lengths(batches), [batch.rows for batch in batches]), 4),
        "baseline_padding": round(1 - tokens / sum(len(width) * max(width) for width in widths), 4),
        "share_of_gemm_rate": round(reached / matrix_flops(loaded.device, low, size, 5), 3),
    }


def _lengths(batches: list[Any]) -> Any:
    """Tokens of each row, in the order of the rows."""
    import numpy as np

    lengths = np.empty(sum(len(batch.rows) for batch in batches), dtype=np.int32)
    for batch in batches:
        lengths[batch.rows] = batch.lengths
    return lengths


def start_ray() -> None:
    """A local Ray for the stage."""
    import ray
    import ray.data

    ray.init(address="local", include_dashboard=False, log_to_driver=False, object_store_memory=512 * 2**20)
    ray.data.DataContext.get_current().enable_progress_bars = False


def main() -> None:
    """Print the JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[200, 400, 1_000])
    parser.add_argument("--model", default="package:all-minilm-l6-v2")
    parser.add_argument(
        "--roberta-large", type=int, metavar="LAYERS", help="random weights of that architecture instead"
    )
    parser.add_argument("--tokens-per-batch", type=int, default=EmbedConfig().tokens_per_batch)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--bare", action="store_true", help="the encoder by itself, without Ray")
    options = parser.parse_args()
    if not options.bare:
        start_ray()
    with tempfile.TemporaryDirectory() as folder:
        random_weights = options.roberta_large and roberta_large(options.roberta_large, Path(folder))
        model = random_weights or resolve_model(options.model, "--model")
        sizes = [measure(count, model, options) for count in options.sizes]
    name = f"roberta-large, {options.roberta_large} layers, random" if options.roberta_large else options.model
    print(json.dumps({"bench": "embedding", "model": name, "machine": describe_machine(), "sizes": sizes}))


if __name__ == "__main__":
    main()
