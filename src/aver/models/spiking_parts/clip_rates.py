"""`ClipRates`: clips as spiking layers see them, and `View`: what a population says about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SOUND, VIDEO = "sound", "video"
BOTH = "both"
"""The view of a clip that all modalities together give."""


@dataclass(frozen=True, eq=False)
class View:
    """What one population has to say about some clips.

    Parameters
    ----------
    rows : np.ndarray of int [shape=(clips seen,)]
        Which of the clips asked for.
    counts : np.ndarray of int [shape=(clips seen, neurons)]
        Spikes of each neuron.
    """

    rows: np.ndarray
    counts: np.ndarray


@dataclass(frozen=True, eq=False)
class ClipRates:
    """Clips as the layers see them.

    Parameters
    ----------
    names : tuple of str
        Ids of the clips.
    rates_hz : mapping of str to list of np.ndarray or None
        By modality; None where a clip lacks it.
    """

    names: tuple[str, ...]
    rates_hz: Mapping[str, list[np.ndarray | None]]

    def rows(self, *modalities: str) -> np.ndarray:
        """The clips that have all these modalities."""
        return np.array(
            [
                row
                for row in range(len(self.names))
                if all(self.rates_hz[modality][row] is not None for modality in modalities)
            ],
            dtype=int,
        )

    def first(self, count: int) -> ClipRates:
        """The first so many clips."""
        return ClipRates(
            self.names[:count],
            {modality: found[:count] for modality, found in self.rates_hz.items()},
        )

    def take(self, modality: str, rows: np.ndarray) -> list[np.ndarray]:
        """Rates of some clips that have this modality."""
        taken = [self.rates_hz[modality][row] for row in rows]
        return [rates for rates in taken if rates is not None]

    def first_complete(self) -> ClipRates:
        """The first clip with all modalities, alone; no clip where there is none."""
        rows = self.rows(*self.rates_hz)[:1]
        return ClipRates(
            tuple(self.named(rows)),
            {modality: [found[row] for row in rows] for modality, found in self.rates_hz.items()},
        )

    def named(self, rows: np.ndarray) -> list[str]:
        """Ids of some clips."""
        return [self.names[row] for row in rows]
