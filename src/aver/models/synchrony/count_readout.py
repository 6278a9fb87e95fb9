"""`CountReadout`: answers from spike counts, without a graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from aver.models.spiking_parts.read_out import ReadOut
from aver.models.synchrony.clip_spikes import ClipSpikes
from aver.models.synchrony.readout import Readout, SpikingClips
from aver.models.synchrony.settings import SynchGraphSettings
from aver.models.synchrony.spike_counts import spike_counts


class CountReadout(Readout):
    """Reads how often each neuron fired, as the recognisers of spiking layers do.

    Neurons are numbered through both modalities. See `Readout` for parameters, and
    `aver.models.spiking_parts.read_out.ReadOutSettings` for kinds.
    """

    def __init__(
        self, settings: SynchGraphSettings, positions: Mapping[str, int], classes: int
    ) -> None:
        super().__init__(settings, positions, classes)
        places, alike = sum(self.positions.values()), np.full(classes, 1 / classes)
        self._read_out = ReadOut(settings.counts, places, alike)

    def learn(
        self,
        train: SpikingClips,
        validation: SpikingClips,
        *,
        seed: int,
        run_folder: Path | None = None,
    ) -> None:
        """Fit on `train`; `validation` chooses as it does for the kind of read-out."""
        known = validation.labels >= 0
        held_out = (self._counts(validation.spikes)[known], validation.labels[known])
        counts = self._counts(train.spikes)
        self._read_out.fit((counts, train.labels), held_out, refit=False)

    def probabilities(self, clip_ids: Sequence[str], spikes: Sequence[ClipSpikes]) -> np.ndarray:
        """Answers by the counts."""
        return self._read_out.probabilities(self._counts(spikes))

    def arrays(self) -> dict[str, np.ndarray]:
        """What the read-out learnt."""
        return self._read_out.arrays()

    def restore(self, arrays: Mapping[str, np.ndarray], folder: Path) -> None:
        """Take up what `arrays` gave."""
        neurons = sum(self.positions.values()) * self.settings.spiking.maps
        self._read_out.restore(arrays, neurons)

    @property
    def facts(self) -> dict[str, object]:
        """The kind, and the strength that the validation clips chose."""
        found: dict[str, object] = {"read-out of counts": self.settings.counts.kind}
        if self._read_out.strength is not None:
            found["strength chosen on validation"] = self._read_out.strength
        return found

    def _counts(self, spikes: Sequence[ClipSpikes]) -> np.ndarray:
        return spike_counts(spikes, self.positions, self.settings.spiking.maps)
