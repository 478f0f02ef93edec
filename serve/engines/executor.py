"""vLLM's worker in the process of its scheduler, for engines without a GPU.

vLLM starts a process of its own for a CPU's worker, whose OpenMP threads it binds to cores by environment variables.
That costs an import of everything (13 s of CPU), and the scheduler spins while it waits for the worker: one of
two cores does nothing else (docs/benchmarks.md). Threads that are not bound need neither.
"""

from __future__ import annotations

import os

import torch
from vllm.v1.executor.uniproc_executor import UniProcExecutor


class OneProcess(UniProcExecutor):
    """An executor that computes where the scheduler runs, on as many threads as the process may use cores."""

    def _init_executor(self) -> None:
        torch.set_num_threads(len(os.sched_getaffinity(0)))  # Ray allows one for each logical CPU of the actor
        super()._init_executor()
