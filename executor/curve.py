"""The loss over the epochs, drawn in a terminal or as a PNG (the extra `plot`)."""

import math
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from executor.errors import UnsupportedSpec

HEIGHT, WIDTH = 8, 64
BLOCKS = " ▁▂▃▄▅▆▇█"


def terminal_curve(losses: Sequence[float], height: int = HEIGHT, width: int = WIDTH) -> str:
    """A bar chart of the losses, a column an epoch (or several epochs' mean); empty for fewer than two."""
    known = [loss for loss in losses if math.isfinite(loss)]
    if len(known) < 2 or len(known) != len(losses):
        return ""
    step = -(-len(known) // width)
    bars = [sum(part) / len(part) for part in (known[i : i + step] for i in range(0, len(known), step))]
    low, high = min(bars), max(bars)
    low = 0.0 if 0 <= low < 0.5 * high else low
    scale = (high - low) or 1.0
    levels = [round((bar - low) / scale * (8 * height - 1)) + 1 for bar in bars]
    lines = []
    for row in range(height - 1, -1, -1):
        label = f"{high:9.4g}" if row == height - 1 else f"{low:9.4g}" if row == 0 else " " * 9
        lines.append(f"{label} │" + "".join(BLOCKS[max(0, min(8, level - 8 * row))] for level in levels))
    lines.append(" " * 10 + "└" + "─" * len(bars))
    lines.append(" " * 11 + f"loss by epoch, 1 … {len(losses)}")
    return "\n".join(lines)


def check_plots() -> None:
    """Raises UnsupportedSpec where matplotlib is missing."""
    if find_spec("matplotlib") is None:
        raise UnsupportedSpec("plotting needs matplotlib: pip install -e '.[plot]' in the clone")


def save_plot(path: Path, losses: Sequence[float], title: str) -> None:
    """A PNG of the losses. Raises UnsupportedSpec where matplotlib is missing."""
    check_plots()
    from matplotlib.figure import Figure  # no window system takes part
    from matplotlib.ticker import MaxNLocator

    figure = Figure(figsize=(7, 4), dpi=120, layout="constrained")
    axes = figure.add_subplot()
    axes.plot(range(1, len(losses) + 1), list(losses), marker="o", markersize=3)
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("loss")
    axes.set_title(title)
    axes.grid(alpha=0.3)
    figure.savefig(path, format="png")
