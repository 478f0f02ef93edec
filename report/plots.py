"""The page's plots, as SVG that stands in the page itself. Colours: Okabe and Ito, for colour-blind eyes too."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#9aa0a6"


def plot_coverage(vectors_ND: np.ndarray[Any, Any], ranks_N: np.ndarray[Any, Any]) -> str:
    """Raw code and coreset on the first two principal components of the raw code's embeddings."""
    centred_ND = vectors_ND - vectors_ND.mean(0)
    components = np.linalg.svd(centred_ND, full_matrices=False)[2][:2]
    xy_N2 = centred_ND @ components.T
    figure, axes = _axes(5.6, 4.2)
    rest, picked = np.flatnonzero(ranks_N < 0), np.flatnonzero(ranks_N >= 0)
    picked = picked[np.argsort(ranks_N[picked])[::-1]]  # the first picks on top
    (x_R, y_R), (x_P, y_P) = xy_N2[rest].T, xy_N2[picked].T
    many = len(rest) > 2000  # as a bitmap inside the SVG
    axes.scatter(x_R, y_R, s=7, color=GREY, alpha=0.45, linewidths=0, label=f"raw code ({len(rest)})", rasterized=many)
    points = axes.scatter(
        x_P,
        y_P,
        s=26,
        c=ranks_N[picked],
        cmap="viridis",
        edgecolors="white",
        linewidths=0.5,
        label=f"coreset ({len(picked)})",
    )
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
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(axis="y", alpha=0.25)
    return _svg(figure)


def plot_leakage(nearest: Mapping[str, Sequence[float]]) -> str:
    """Share of the problems whose nearest row is at most so similar (the paper's figure 3, as a distribution)."""
    figure, axes = _axes(5.6, 3.0 + 0.17 * len(nearest))
    colors = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", GREY)
    styles = [(color, line) for line in ("-", "--", ":") for color in colors]
    for (name, values), (color, line) in zip(nearest.items(), styles, strict=False):
        x = np.sort(np.asarray(values))
        share = np.arange(1, len(x) + 1) / len(x)
        label = f"{name} (median {np.median(x):.2f})"
        axes.step(x, share, where="post", color=color, linestyle=line, linewidth=1.6, label=label)
    axes.set(xlabel="cosine similarity of a problem's nearest row", ylabel="share of the problems", ylim=(0, 1.02))
    axes.grid(alpha=0.25)
    axes.legend(fontsize=8, frameon=False, loc="lower left", bbox_to_anchor=(0.0, 1.0), borderaxespad=0)
    return _svg(figure)


def plot_differences(rows: Sequence[Mapping[str, Any]]) -> str:
    """Each variant's paired difference from the first, with its interval, in points of pass@1.

    Args:
        rows: `benchmark, label, difference, low, high`; shares between -1 and 1.
    """
    figure, axes = _axes(6.4, 0.9 + 0.34 * len(rows))
    places = np.arange(len(rows))[::-1]
    points = 100 * np.array([row["difference"] for row in rows])
    bounds = [100 * np.array([row[name] for row in rows]) for name in ("low", "high")]
    reach = np.clip(np.stack([points - bounds[0], bounds[1] - points]), 0, None)
    axes.errorbar(points, places, xerr=reach, fmt="o", color=BLUE, ecolor=GREY, capsize=3, markersize=5)
    axes.axvline(0, color=GREY, linewidth=0.8)
    axes.set_yticks(places, [f"{row['benchmark']}: {row['label']}" for row in rows])
    axes.set_xlabel("points of pass@1 minus the first variant, 95 % interval")
    return _svg(figure)


def plot_bars(bars: Mapping[str, float], unit: str, color: str = BLUE) -> str:
    """Horizontal bars with their values, the first on top."""
    figure, axes = _axes(5.6, 0.5 + 0.3 * len(bars))
    positions = np.arange(len(bars))[::-1]
    drawn = axes.barh(positions, list(bars.values()), color=color, height=0.65)
    axes.bar_label(drawn, labels=[f"{value:,.0f}" for value in bars.values()], padding=4, fontsize=8.5)
    axes.set_yticks(positions, list(bars))
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
    with matplotlib.rc_context({"svg.hashsalt": "wavecoder"}):  # ids inside the SVG are the same every time
        FigureCanvasSVG(figure).print_svg(stream, metadata={"Date": None})
    text = stream.getvalue()
    return text[text.index("<svg") :]
