"""Select: how many rows of each group (a language, a licence) a coreset may and must hold. No Ray here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence


class Quotas:
    """Counts picks by group and says which groups may be picked no more."""

    def __init__(
        self,
        sizes: Mapping[int, int],
        k: int,
        *,
        at_least: Mapping[int, int],
        at_most: Mapping[int, int],
        names: Sequence[str] = (),
    ) -> None:
        """Check that `k` picks can keep the quotas.

        Args:
            sizes: rows of each group.
            k: picks to come.
            at_least: group → fewest picks.
            at_most: group → most picks.
            names: of the groups, for error lines.

        Raises:
            ValueError: a group has too few rows, or the quotas leave no room for `k` picks.
        """
        self._most = {group: min(size, at_most.get(group, size)) for group, size in sizes.items()}
        self._least = dict(at_least)
        self._counts: Counter[int] = Counter()
        self._left = k
        for group, least in at_least.items():
            if least > self._most.get(group, 0):
                name = names[group] if names else group
                raise ValueError(f"at least {least} rows of group {name} are wanted, but only "
                                 f"{self._most.get(group, 0)} may be picked; lower it")  # fmt: skip
        if sum(at_least.values()) > k:
            raise ValueError(f"the groups want at least {sum(at_least.values())} rows together but k is {k}; raise k")
        if sum(self._most.values()) < k:
            raise ValueError(f"the quotas allow {sum(self._most.values())} rows but k is {k}; raise one or lower k")

    def take(self, groups: Iterable[int]) -> None:
        """Note picks of these groups, in their order."""
        for group in groups:
            self._counts[group] += 1
            self._left -= 1

    def closed(self) -> list[int]:
        """Groups that may be picked no more: they are full, or every pick that is left is owed to others."""
        owed = {group: least - self._counts[group] for group, least in self._least.items()}
        owed = {group: number for group, number in owed.items() if number > 0}
        reserved = sum(owed.values()) >= self._left
        return [group for group, most in self._most.items()
                if self._counts[group] >= most or (reserved and group not in owed)]  # fmt: skip
