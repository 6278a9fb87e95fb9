"""`Readout`: what turns the spikes of clips into answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.models.synchrony.clip_spikes import ClipSpikes
from aver.models.synchrony.settings import SynchGraphSettings


@dataclass(frozen=True, eq=False)
class SpikingClips:
    """Clips as a read-out sees them.

    Parameters
    ----------
    clip_ids : sequence of str
    spikes : sequence of ClipSpikes
    labels : np.ndarray [shape=(clips,), dtype=int]
        Class numbers; -1 where unknown.
    """

    clip_ids: Sequence[str]
    spikes: Sequence[ClipSpikes]
    labels: np.ndarray


class Readout(ABC):
    """Learns from labelled spikes and answers for others.

    Parameters
    ----------
    settings : SynchGraphSettings
    positions : mapping of str to int
        Window positions of each modality.
    classes : int
    """

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        self.settings, self.positions, self.classes = settings, dict(positions), classes

    @abstractmethod
    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Learn from `train`; choices are made on `validation`."""

    @abstractmethod
    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Answers, `[shape=(clips, classes)]`; without meaning for a clip without spikes."""

    @abstractmethod
    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, for a checkpoint."""

    @abstractmethod
    def restore(self, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        CheckpointError, KeyError, TypeError, ValueError
            If an array is missing, foreign, or does not fit.
        """

    @property
    @abstractmethod
    def facts(self) -> dict[str, object]:
        """What the model card says of it."""
