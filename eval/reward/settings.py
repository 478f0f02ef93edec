"""What a sample may use when it is judged for a reward, and what the server takes on."""

from __future__ import annotations

import os
from typing import Annotated

from pydantic import Field, PositiveInt

from core.settings import Settings

Seconds = Annotated[float, Field(ge=0.1, allow_inf_nan=False)]
"""Less than a tenth is over before a busy machine gives a program its turn, which is no verdict."""


class RewardConfig(Settings):
    """Limits of `code_reward` and of `wavecoder reward serve`."""

    timeout_s: Seconds = 10.0
    """Seconds for a sample with its tests, unless a request says otherwise."""

    memory_mb: PositiveInt = 1024
    """Memory of each of its two processes, unless a request says otherwise."""

    max_timeout_s: Seconds = 60.0
    """Longest time-out that a request may ask for."""

    max_memory_mb: PositiveInt = 4096
    """Most memory that a request may ask for."""

    workers: PositiveInt = Field(default_factory=lambda: 2 * (os.cpu_count() or 1))
    """Samples judged at a time: two for each processor unless given, as each waits a little."""

    queue: PositiveInt = 1024
    """Samples that may wait beside those; above it the answer is 429 with Retry-After."""

    max_body_mb: PositiveInt = 64
    """Largest request body."""

    body_timeout_s: Seconds = 60.0
    """Time in which a client must send it."""
