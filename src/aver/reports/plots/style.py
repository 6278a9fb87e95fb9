"""Style of all plots: readable, safe for the color-blind, for light and dark pages.

Colors: Okabe and Ito, Color Universal Design, 2008; distinct for all common color vision.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.execution.files import write_atomically, write_text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PALETTE = (
    "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#8C6D31", "#7F7F7F",
)  # fmt: skip
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
"""Shapes repeat the information of the colors."""
INK = "#1b1f24"
GRID = "#d5d8dc"
MUTED = "#6b7178"

_STYLE: Any = {  # matplotlib types the keys one by one
    "font.family": ["DejaVu Sans"],
    "font.size": 10,
    "text.parse_math": False,  # a dollar in a file's or a speaker's name is a dollar
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlesize": 11,
    "axes.titlelocation": "left",
    "axes.titlecolor": INK,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": GRID,
    "grid.linewidth": 0.7,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "legend.frameon": False,
    "svg.fonttype": "none",
    "svg.hashsalt": "aver",
}


@contextmanager
def new_figure(width_in: float, height_in: float) -> Iterator[Figure]:
    """Make a figure in the common style, without changes of global state and without a window.

    Parameters
    ----------
    width_in, height_in : float
        In inches.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(width_in, height_in), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def save_figure(figure: Figure, stem: Path) -> tuple[Path, Path]:
    """Write ``<stem>.png`` (on white) and ``<stem>.svg`` (transparent, text as text)."""
    import matplotlib

    png, svg = stem.with_name(stem.name + ".png"), stem.with_name(stem.name + ".svg")
    with matplotlib.rc_context(_STYLE):
        # The SVG first: drawing once changes the layout a little, and equal figures must give
        # equal files.
        write_text(svg, as_svg(figure))
        with write_atomically(png) as temporary:
            figure.savefig(temporary, format="png", dpi=160, facecolor="white")
    return png, svg


def as_svg(figure: Figure) -> str:
    """The figure as SVG without date or creator, so that equal figures give equal files."""
    import matplotlib

    stream = io.StringIO()
    with matplotlib.rc_context(_STYLE):
        metadata = {"Date": None, "Creator": None}
        figure.savefig(stream, format="svg", transparent=True, metadata=metadata)
    text = stream.getvalue()
    return "\n".join(line.rstrip() for line in text.splitlines()) + "\n"


def inline_svg(svg: str, name: str, description: str) -> str:
    """Prepare a saved SVG for an HTML page.

    Ink and grid take the colors of the page, ids get a prefix so that those of two plots do not
    collide, and the description is the text for screen readers.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = body.replace("url(#", f"url(#{name}-").replace('href="#', f'href="#{name}-')
    body = body.replace(INK, "currentColor").replace(GRID, "var(--grid)")
    body = body.replace(MUTED, "var(--muted)")
    width_px = round(float(re.search(r' width="([\d.]+)pt"', body).group(1)) * 96 / 72)  # type: ignore[union-attr]
    body = re.sub(r' (width|height)="[\d.]+pt"', "", body, count=2)
    label = description.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return body.replace(
        "<svg", f'<svg style="--width: {width_px}px" role="img" aria-label="{label}"', 1
    )
