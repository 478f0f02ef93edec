"""Whether a solution that may answer by chance, by the clock, or in the order of hashes, always answers alike. No Ray.

Every test is run twice, so that most of what changes by itself fails. Half of the answers of a solution that draws lots
pass twice by luck, and in the next run they do not. Such solutions run more often; others cost nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

Row = dict[str, Any]

REPEATS = 8
"""Each of them runs a test twice: who passes every other time by luck passes all with a probability of 1 in 65,536."""
UNSTEADY = "not runnable: it answers otherwise each time"
_CHANCE = {
    "python": r"\b(random|randint|shuffle|secrets|uuid\w*|urandom|time\w*|perf_counter\w*|monotonic\w*|now|today)\b",
    "javascript": r"\b(random|Date|performance|crypto)\b",
    "typescript": r"\b(random|Date|performance|crypto)\b",
    "java": r"\b(\w*[rR]andom|nanoTime|currentTimeMillis|UUID|Local\w*Time|LocalDate|Instant|identityHashCode)\b",
    "go": r"\b(rand|Now|Since)\b|\bmap\[",
    "cpp": r"\b(s?rand|random_device|mt19937\w*|chrono|clock|time)\b",
    "rust": r"\b(rand|Instant|SystemTime|HashMap|HashSet|RandomState)\b",
}
"""What such solutions name; Go's maps and Rust's hashes have another order each time."""


def is_steady(code: str, tests: Sequence[Row], language: str, name: str, prove: Callable[..., Row]) -> bool:
    """Whether a solution never passes a test once and fails it another time.

    Args:
        code: the solution.
        tests: that are run.
        language: of it.
        name: of the function.
        prove: the sandbox's.
    """
    pattern = _CHANCE.get(language)
    if pattern is None or not tests or not re.search(pattern, code):
        return True
    found = prove([code], [*tests] * REPEATS, language=language, entry_point=name)
    letters = "".join(found["outcomes"])
    seen = [set(letters[place :: len(tests)]) for place in range(len(tests))]
    # What ran out of time says nothing: all of it together has the time of one solution.
    return not any("V" in some or ("P" in some and some & {"F", "E"}) for some in seen)
