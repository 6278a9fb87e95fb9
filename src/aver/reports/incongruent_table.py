"""The table of incongruent clips: voice, face or neither, by class."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.evaluation.incongruent import Incongruent
from aver.reports.table import Cell, Estimate, Table


def incongruent_table(found: Sequence[Incongruent], name: str, title: str) -> Table:
    """Shares of clips answered by the voice's emotion, the face's, and neither's.

    Parameters
    ----------
    found : sequence of Incongruent
        One per seed; shares are means over seeds.
    name, title : str
    """
    labels = [("any", "")]
    labels += [(side, label) for side in ("voice", "face") for label in found[0].classes]
    rows: list[tuple[Cell, ...]] = []
    for side, label in labels:
        shares = np.mean([one.shares(side, label) for one in found], axis=0)
        if np.isfinite(shares).all():
            words = "all clips" if side == "any" else f"{side} {label}"
            rows.append((words, *(Estimate(float(share)) for share in shares)))
    notes = (
        f"{len(found[0].voice)} clips of test speakers, each with the voice of one performance and "
        "the face of another of the same speaker; nothing is trained on such clips.",
        f"By chance either sense would be followed in {100 / len(found[0].classes):.1f} %.",
    )
    columns = ("clips", "voice's emotion", "face's emotion", "neither")
    return Table(name, f"{title}. Answers in %", columns, tuple(rows), notes)
