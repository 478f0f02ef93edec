"""How long work will still take, and when that is worth a line; the clock is the caller's."""

from __future__ import annotations


class TimeLeft:
    """Seconds left of work that is counted as it ends, by what ended since the first of it: loading is no speed."""

    def __init__(self) -> None:
        """Nothing has ended yet."""
        self._first: tuple[float, float] | None = None

    def update(self, seconds: float, done: float, total: float) -> float | None:
        """Seconds left; None until more has ended than by the first call.

        Args:
            seconds: now, of any clock.
            done: what has ended, by earlier runs too; in the units of `total`.
            total: all there is.
        """
        if self._first is None:
            self._first = (seconds, done)
        begun, before = self._first
        if done <= before or seconds <= begun:
            return None if done < total else 0.0
        return max(0.0, (total - done) * (seconds - begun) / (done - before))


class NowAndThen:
    """When a line is due: at the first call, unless the start was given, then so many seconds after the last line."""

    def __init__(self, every_s: float, began: float | None = None) -> None:
        """Args: every_s: seconds between lines; began: from when on they count, None for a line at the first call."""
        self._every_s, self._last = every_s, began

    def is_due(self, seconds: float, *, last: bool = False) -> bool:
        """Whether to write a line now, of any clock; the `last` one always is."""
        if not last and self._last is not None and seconds - self._last < self._every_s:
            return False
        self._last = seconds
        return True


def in_words(seconds: float | None) -> str:
    """Such as ", about 3 min 20 s left"; empty where it is not known."""
    if seconds is None:
        return ""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f", about {hours} h {minutes} min left"
    return f", about {minutes} min {rest} s left" if minutes else f", about {rest} s left"
