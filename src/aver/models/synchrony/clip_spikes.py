"""`ClipSpikes`: who fired when while a clip was shown, in both modalities."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from aver.spiking import Spikes

MODALITIES = ("video", "sound")
"""In the order of their numbers in `ClipSpikes.modality`."""


@dataclass(frozen=True, eq=False)
class ClipSpikes:
    """Spikes of the excitatory neurons of one clip, in order of time.

    Parameters
    ----------
    modality : np.ndarray [shape=(spikes,), dtype=int, index into `MODALITIES`]
    position : np.ndarray [shape=(spikes,), dtype=int]
        Window position of the neuron.
    feature_map : np.ndarray [shape=(spikes,), dtype=int]
        Which of the neurons at that position.
    time_ms : np.ndarray [shape=(spikes,), dtype=float64]
        From the beginning of the clip.

    Examples
    --------
    >>> spikes = ClipSpikes.of({"sound": Spikes([7.0, 3.5], [20, 1])}, maps=20)
    >>> spikes.position.tolist(), spikes.feature_map.tolist(), spikes.time_ms.tolist()
    ([0, 1], [1, 0], [3.5, 7.0])
    """

    modality: np.ndarray
    position: np.ndarray
    feature_map: np.ndarray
    time_ms: np.ndarray

    @classmethod
    def of(cls, spikes: Mapping[str, Spikes], maps: int) -> ClipSpikes:
        """Join what the engine recorded in populations named after the modalities.

        Parameters
        ----------
        spikes : mapping of {"video", "sound"} to Spikes
        maps : int >= 1
            Neurons at each window position.
        """
        present = [name for name in MODALITIES if name in spikes]
        neuron = np.concatenate([np.zeros(0, np.int64), *(spikes[m].neuron for m in present)])
        modality = np.concatenate(
            [np.zeros(0, np.int64)]
            + [np.full(len(spikes[m]), MODALITIES.index(m)) for m in present]
        )
        time_ms = np.concatenate([np.zeros(0), *(spikes[m].time_ms for m in present)])
        order = np.argsort(time_ms, kind="stable")
        return cls(modality[order], neuron[order] // maps, neuron[order] % maps, time_ms[order])

    def __len__(self) -> int:
        return int(self.time_ms.size)

    def only(self, modality: str) -> ClipSpikes:
        """The spikes of one modality."""
        kept = self.modality == MODALITIES.index(modality)
        return ClipSpikes(*(getattr(self, name)[kept] for name in self.__dataclass_fields__))

    def shuffled(self, chance: np.random.Generator) -> ClipSpikes:
        """The same neurons with the same numbers of spikes, their times dealt out anew.

        Synchrony beyond what the numbers of spikes make of themselves is gone.
        """
        dealt = replace(self, time_ms=chance.permutation(self.time_ms))
        order = np.argsort(dealt.time_ms, kind="stable")
        return ClipSpikes(*(getattr(dealt, name)[order] for name in self.__dataclass_fields__))
