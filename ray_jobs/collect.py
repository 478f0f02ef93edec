"""Sources of code → `<run>/collect/part-*.parquet`."""

from __future__ import annotations

import hashlib
import sys

from codeocean.collect.filters import load_custom, load_tokenizer
from codeocean.collect.flow import collect
from codeocean.collect.readers import Unit, list_units
from codeocean.collect.yields import describe_functions
from ray_jobs.cluster.connect import connect
from ray_jobs.run.config import Config
from ray_jobs.run.covered import covered_by
from ray_jobs.run.models import model_digest, resolve_model
from ray_jobs.run.recipe_jobs import main_of
from ray_jobs.run.rundir import Manifest, RunDir, StageResult, run_stage


def run_collect(config: Config, run: RunDir) -> Manifest:
    """Collect raw code."""
    units = [unit for source in config.collect.sources for unit in list_units(source)]
    settings, inputs = config.collect, {"sources": _digest(units)}
    for name in settings.filters.custom:
        load_custom(name)
    if settings.filters.tokenizer is not None:
        tokenizer = resolve_model(settings.filters.tokenizer, "collect.filters.tokenizer")
        load_tokenizer(tokenizer)  # refused here, before any work starts
        inputs["tokenizer"] = model_digest(tokenizer)
        filters = settings.filters.model_copy(update={"tokenizer": tokenizer})
        settings = settings.model_copy(update={"filters": filters})

    def work() -> StageResult:
        connect(config.ray)
        done = collect(settings, units, run.fs, run.path("collect"))
        account = done.account
        if done.kept == 0:
            reasons = ", ".join(f"{reason} {count}" for reason, count in account.dropped.most_common(5))
            raise ValueError(
                f"collect kept none of {account.rows_in} rows ({reasons}); check collect.sources and filters"
            )
        details = {
            "languages": dict(account.languages),
            "functions": describe_functions(account.functions),
            "sources": config.section("collect")["sources"],
            "rows_per_second_per_core": round(done.rate, 1),
            "cores": done.cores,
        }
        if account.context:
            named = {reason or "complete": count for reason, count in account.context.most_common()}
            details["context"] = named
        return StageResult(account.rows_in, done.kept, dict(account.dropped), account.examples, details)

    return run_stage(run, "collect", covered_by("collect", config), inputs, work)


def _digest(units: list[Unit]) -> str:
    return hashlib.sha256("\n".join(unit.fingerprint for unit in units).encode()).hexdigest()[:16]


main = main_of("collect")

if __name__ == "__main__":
    sys.exit(main())
