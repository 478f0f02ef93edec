"""The page's plots, as SVG that stands in the page itself. Colours of Okabe and Ito, which colour-blind eyes tell apart."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#9aa0a6"


def plot_coverage(vectors_ND: np.ndarray[Any, Any], ranks_N: np.ndarray[Any, Any]) -> str:
    """Raw code and coreset on the first two principal components of the raw code's embeddings."""
    centred_ND = vectors_ND - vectors_ND.mean(0)
    components = np.linalg.svd(centred_ND, full_matrices=False)[2][:2]
    xy_N2 = centred_ND @ components.T
    figure, axes = _axes(5.6, 4.2)
    rest = ranks_N < 0
    axes.scatter(*xy_N2[rest].T, s=7, color=GREY, alpha=0.45, linewidths=0, label=f"raw code ({rest.sum()})",
                 rasterized=rest.sum() > 2000)  # fmt: skip
    picked = np.flatnonzero(~rest)
    picked = picked[np.argsort(ranks_N[picked])[::-1]]  # the first picks on top
    points = axes.scatter(*xy_N2[picked].T, s=26, c=ranks_N[picked], cmap="viridis", edgecolors="white", linewidths=0.5,
                          label=f"coreset ({len(picked)})")  # fmt: skip
    figure.colorbar(points, ax=axes, label="rank of the pick", fraction=0.046, pad=0.03)
    axes.set(xlabel="first principal component", ylabel="second principal component")
    axes.legend(loc="upper left", bbox_to_anchor=(0.0, 1.12), ncols=2, frameon=False, fontsize=8.5, borderaxespad=0)
    return _svg(figure)


def plot_radius(radii: Sequence[float]) -> str:
    """Distance of the k-th pick to the nearest earlier one: how well k picks cover the corpus."""
    figure, axes = _axes(4.6, 3.4)
    k = np.arange(2, len(radii) + 1)
    axes.plot(k, radii[1:], color=BLUE, linewidth=1.8)
    axes.set(xlabel="k, number of picks", ylabel="radius (Euclidean distance)")
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.25)
    return _svg(figure)


def plot_loss(steps: Sequence[dict[str, float]]) -> str:
    """Training loss of every step, on response tokens."""
    figure, axes = _axes(4.6, 3.4)
    numbers = [step["step"] + 1 for step in steps]
    losses = [step["loss"] for step in steps]
    axes.plot(numbers, losses, color=ORANGE, linewidth=1.6, marker="o" if len(steps) < 60 else None, markersize=4)
    axes.set(xlabel="optimizer step", ylabel="loss (nats per response token)")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.grid(axis="y", alpha=0.25)
    return _svg(figure)


def plot_bars(labels: Sequence[str], values: Sequence[float], unit: str, color: str = BLUE) -> str:
    """Horizontal bars with their values, the first on top."""
    figure, axes = _axes(5.6, 0.5 + 0.3 * len(labels))
    positions = np.arange(len(labels))[::-1]
    bars = axes.barh(positions, values, color=color, height=0.65)
    axes.bar_label(bars, labels=[f"{value:,.0f}" for value in values], padding=4, fontsize=8.5)
    axes.set_yticks(positions, labels)
    axes.set_xlabel(unit)
    axes.margins(x=0.12)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(axis="y", length=0)
    return _svg(figure)


def _axes(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5)
    return figure, axes


def _svg(figure: Figure) -> str:
    """The figure as an SVG element; without the document head, which HTML does not know."""
    stream = io.StringIO()
    FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
