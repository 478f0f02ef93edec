"""Select: vectors on disk → coreset, in this process or with each shard of the matrix in a Ray actor of its own.

Shards are read straight from disk. The whole state of a selection is its picks: they are written down as it goes, a
cut-off run goes on from them, and a shard whose actor or node is lost is read again and told of them.
"""

from __future__ import annotations

import logging
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import ray
import torch
from pyarrow import fs as pafs
from ray.exceptions import RayActorError
from torch import Tensor

from codeocean.embed.vectors import VectorFile, read_vectors
from codeocean.records import CORESET
from codeocean.select.baselines import choose_baseline
from codeocean.select.certificate import Certificate, certify
from codeocean.select.distances import Frame
from codeocean.select.kcenter import Picks, Shards, choose_frame, extend_picks, start_picks
from codeocean.select.quotas import Quotas
from codeocean.select.settings import CoresetConfig, QuotaConfig
from codeocean.select.shard import Shard
from codeocean.select.sharded import ShardGroup
from core.progress import NowAndThen, TimeLeft, in_words
from core.storage import read_part, write_part

log = logging.getLogger("wavecoder.codeocean")

CERTIFIED_ROWS = 2_000
"""Rows of the corpus that the float64 check meets."""

PROGRESS_SECONDS = 10.0
"""The picks are logged and written down this often."""

MAX_REVIVALS = 5
"""How often a shard is read again before its loss fails the selection."""


@dataclass(frozen=True)
class Corpus:
    """Where the rows are, and what the selection has to know of them beside their vectors."""

    fs: pafs.FileSystem
    files: Sequence[VectorFile]
    groups_N: Tensor | None = None
    """int64, group of each row, for quotas."""
    group_names: Sequence[str] = ()

    @property
    def num_rows(self) -> int:
        """N."""
        return sum(file.num_rows for file in self.files)


@dataclass(frozen=True)
class Selection:
    """A coreset, and what it is worth."""

    picks: Picks
    certificate: Certificate | None
    """None where picks are not the farthest of all rows: quotas, baselines."""

    def details(self) -> dict[str, Any]:
        """What a manifest says of a coreset: its radius, the bound on any other's, and the float64 check."""
        radii, radius = self.picks.radii.tolist(), self.picks.farthest
        found: dict[str, Any] = {
            "size": len(radii),
            "first_radius": radii[1] if len(radii) > 1 else None,  # the very first pick has no earlier one
            "last_radius": radii[-1] if len(radii) > 1 else None,
            "radius": radius,  # no row is farther from its nearest pick
        }
        if min(radii) >= radius:  # k + 1 rows are this far apart: whatever k centres one takes, two share one
            found["best_possible_radius_at_least"] = radius / 2.0
        if self.certificate is not None:
            found["certificate"] = self.certificate._asdict()
        return found


def choose_coreset(
    config: CoresetConfig, corpus: Corpus, *, chosen: Sequence[int] = (), checkpoint: str | None = None
) -> Selection:
    """Pick `config.size` rows.

    Args:
        config: how.
        corpus: of what.
        chosen: rows that are picked already.
        checkpoint: file for the picks as they come; found there, they are gone on from.

    Raises:
        ValueError: the coreset is larger than the corpus, a pick is outside it, a quota cannot be kept, or a vector is
            not finite.
    """
    given = _given_rows(config, corpus, chosen)
    shards = open_shards(config, corpus)
    frame = choose_frame(shards, unit=config.metric == "cosine")
    picks = _read_checkpoint(corpus.fs, checkpoint, frame) or start_picks(shards, frame, given)
    keep = _PickLog(corpus.fs, checkpoint, config.size)
    quotas = _quotas(config.quotas, corpus, config.size)
    extend_picks(shards, frame, picks, config.size, quotas=quotas, on_block=keep)
    greedy = config.method == "k-center" and quotas is None
    if not greedy:
        return Selection(picks, None)
    return Selection(picks, _certificate(shards, frame, picks, corpus.num_rows, max(1, len(chosen))))


def coreset_table(selection: Selection, ids: pa.ChunkedArray) -> pa.Table:
    """CORESET rows, in the order of the picks."""
    rows = selection.picks.rows
    columns = [pa.array(range(len(rows)), pa.int64()), ids.take(pa.array(rows)).combine_chunks(),
               pa.array(selection.picks.radii.numpy())]  # fmt: skip
    return pa.table(columns, schema=CORESET)


def _given_rows(config: CoresetConfig, corpus: Corpus, chosen: Sequence[int]) -> list[int]:
    """The picks that are not greedy; none means the row nearest the mean."""
    n = corpus.num_rows
    if config.size > n:
        raise ValueError(f"select.size is {config.size} but embed/ holds {n} rows; lower it or collect more")
    if len(chosen) > config.size:
        raise ValueError(f"select.size is {config.size} but select.grow holds {len(chosen)} rows already; raise it")
    if isinstance(config.first, int) and config.first >= n:
        raise ValueError(f"the first pick is row {config.first} but there are {n} rows; choose an earlier one")
    if config.method != "k-center":
        x_ND = read_vectors(corpus.fs, corpus.files, 0, n).numpy() if config.method == "k-means++" else None
        return choose_baseline(config.method, x_ND, n, config.size, config.seed)
    if chosen or config.first == "central":
        return list(chosen)
    return [config.first if isinstance(config.first, int) else random.Random(config.seed).randrange(n)]


def _quotas(config: QuotaConfig | None, corpus: Corpus, k: int) -> Quotas | None:
    if config is None:
        return None
    assert corpus.groups_N is not None
    names = list(dict.fromkeys([*corpus.group_names, *config.at_least, *config.at_most]))
    number = {name: place for place, name in enumerate(names)}
    sizes = dict(enumerate(torch.bincount(corpus.groups_N, minlength=len(names)).tolist()))
    least, most = ({number[name]: n for name, n in limits.items()} for limits in (config.at_least, config.at_most))
    return Quotas(sizes, k, at_least=least, at_most=most, names=names)


def open_shards(config: CoresetConfig, corpus: Corpus) -> Shards:
    """The corpus in this process, or in as many actors as `config` says."""
    n, on_gpu, groups_N = corpus.num_rows, config.gpus_per_shard > 0, corpus.groups_N
    if config.shards == 1:
        return _load_shard(corpus.fs, corpus.files, 0, n, groups_N, on_gpu=on_gpu)
    size = math.ceil(n / config.shards)
    bounds = [(start, min(start + size, n)) for start in range(0, n, size)]
    # Threads that wait give way: shards share a machine's cores.
    waiting = {"env_vars": {"OMP_WAIT_POLICY": "passive"}}
    options = {"num_cpus": config.cpus_per_shard, "num_gpus": config.gpus_per_shard, "runtime_env": waiting}
    actor = ray.remote(**options)(_ShardActor)

    def start_actor(shard: int) -> Any:
        start, stop = bounds[shard]
        groups = None if groups_N is None else groups_N[start:stop]
        return actor.remote(config.cpus_per_shard, on_gpu, corpus.fs, corpus.files, start, stop, groups)

    log.info("select: %d rows in %d shards", n, len(bounds))
    for resource, each in (("CPU", config.cpus_per_shard), ("GPU", config.gpus_per_shard)):
        wanted, there = each * len(bounds), ray.cluster_resources().get(resource, 0.0)
        if wanted > there:  # an autoscaler may add nodes
            log.warning("select: %d shards want %g %ss and the cluster has %g; waiting for more, or stop and lower "
                        "select.shards or raise ray.num_cpus", len(bounds), wanted, resource, there)  # fmt: skip
    return ShardGroup(RemoteCalls(start_actor, len(bounds)), [start for start, _ in bounds])


def _load_shard(
    fs: pafs.FileSystem, files: Sequence[VectorFile], start: int, stop: int, groups_N: Tensor | None, *, on_gpu: bool
) -> Shard:
    x_ND = read_vectors(fs, files, start, stop)
    return Shard(x_ND.cuda() if on_gpu else x_ND, start=start, groups_N=groups_N)


class _ShardActor:
    """A shard in a process of its own."""

    def __init__(self, num_threads: int, on_gpu: bool, *slice_: Any) -> None:  # noqa: FBT001 - Ray passes it by place
        torch.set_num_threads(num_threads)
        self._shard = _load_shard(*slice_, on_gpu=on_gpu)
        torch.set_num_threads(1)  # of this thread; the shard has its own

    def ask(self, method: str, *arguments: Any) -> Any:
        """What the shard answers; every method may be asked again."""
        return getattr(self._shard, method)(*arguments)


class RemoteCalls:
    """Asks shards in actors; one that is lost is started again and told all that the others were told."""

    def __init__(self, start_actor: Callable[[int], Any], num_shards: int) -> None:
        """Args: start_actor: shard → actor. num_shards: how many there are."""
        self._start_actor = start_actor
        self._actors = [start_actor(shard) for shard in range(num_shards)]
        self._told: list[tuple[str, tuple[Any, ...]]] = []
        self._revivals = 0

    def __call__(self, method: str, arguments: dict[int, tuple[Any, ...]]) -> dict[int, Any]:
        """(method, shard → arguments) → shard → answer."""
        everybody = len(set(map(id, arguments.values()))) == 1
        if everybody:  # sent once, not once for each shard
            shared = tuple(ray.put(argument) if isinstance(argument, Tensor) else argument
                           for argument in next(iter(arguments.values())))  # fmt: skip
            arguments = dict.fromkeys(arguments, shared)
        asked = {shard: self._actors[shard].ask.remote(method, *own) for shard, own in arguments.items()}
        answers = {shard: self._answer(shard, reply, method, arguments[shard]) for shard, reply in asked.items()}
        if method in {"extent", "set_frame", "add_picks", "exclude"}:  # what changes a shard
            self._told.append((method, next(iter(arguments.values()))))
        return answers

    def _answer(self, shard: int, reply: Any, method: str, arguments: tuple[Any, ...]) -> Any:
        while True:
            try:
                return ray.get(reply)
            except RayActorError:
                self._revivals += 1
                if self._revivals > MAX_REVIVALS:
                    raise
                log.warning("select: shard %d was lost; it is read again and told of the picks", shard)
                self._actors[shard] = self._start_actor(shard)
                for told, own in self._told:
                    self._actors[shard].ask.remote(told, *own)
                reply = self._actors[shard].ask.remote(method, *arguments)


class _PickLog:
    """Logs the picks and writes them down, now and then."""

    def __init__(self, fs: pafs.FileSystem, checkpoint: str | None, size: int) -> None:
        self._fs, self._checkpoint, self._size = fs, checkpoint, size
        self._line, self._left = NowAndThen(PROGRESS_SECONDS, time.monotonic()), TimeLeft()

    def __call__(self, picks: Picks) -> None:
        done, now = len(picks.rows), time.monotonic()
        left = self._left.update(now, done, self._size)
        if not self._line.is_due(now, last=done >= self._size):
            return
        log.info("select: %d of %d picks, radius %.4f%s", done, self._size, picks.squared[-1] ** 0.5 / picks.scale,
                 in_words(left))  # fmt: skip
        if self._checkpoint is not None:
            table = pa.table(
                {"row": pa.array(picks.rows, pa.int64()), "squared": pa.array(picks.squared, pa.float64())}
            )
            write_part(self._fs, self._checkpoint, table)


def _read_checkpoint(fs: pafs.FileSystem, path: str | None, frame: Frame) -> Picks | None:
    if path is None or not fs.get_file_info(path).is_file:
        return None
    table = read_part(fs, path, ["row", "squared"])
    log.info("select: goes on behind %d picks", table.num_rows)
    return Picks(table["row"].to_pylist(), table["squared"].to_pylist(), frame.scale)


def _certificate(shards: Shards, frame: Frame, picks: Picks, num_rows: int, given: int) -> Certificate:
    sample = torch.linspace(0, num_rows - 1, min(num_rows, CERTIFIED_ROWS)).long().unique()
    vectors = [frame.float64(shards.vectors(rows).cpu()) for rows in (sample, torch.tensor(picks.rows))]
    return certify(vectors[0], vectors[1], torch.tensor(picks.squared, dtype=torch.float64).sqrt(), given)
