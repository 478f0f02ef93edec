"""The public door to the selection: `from codeocean.kcenter import k_center_greedy` (`codeocean/select/kcenter.py`)."""

from codeocean.select.kcenter import k_center_greedy

__all__ = ["k_center_greedy"]
