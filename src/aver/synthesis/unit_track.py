"""Action-unit tracks as a measuring tool would write them."""

from __future__ import annotations

import numpy as np

from aver.synthesis.expression import ACTION_UNITS


def unit_track_csv(units: np.ndarray, fps: float, noise: float, rng: np.random.Generator) -> str:
    """One row per frame, in the columns and the range of OpenFace 2.

    Parameters
    ----------
    units : np.ndarray [shape=(frames, 11)]
        Rendered intensities of `ACTION_UNITS`, 0 to 5.
    fps : float
    noise : float >= 0
        Scales the error of measurement: at 1 a standard deviation of 0.35 per frame, and of 0.3
        for a whole clip.
    rng : np.random.Generator

    Returns
    -------
    str
        CSV with the columns frame, timestamp (in s) and ``AU01_r`` to ``AU26_r``.
    """
    error = rng.normal(0, 0.35, units.shape) + rng.normal(0, 0.3, units.shape[1])
    measured = np.clip(units + noise * error, 0, 5)
    lines = ["frame,timestamp," + ",".join(f"{unit}_r" for unit in ACTION_UNITS)]
    for number, row in enumerate(measured):
        values = ",".join(f"{value:.2f}" for value in row)
        lines.append(f"{number + 1},{number / fps:.3f},{values}")
    return "\n".join(lines) + "\n"
