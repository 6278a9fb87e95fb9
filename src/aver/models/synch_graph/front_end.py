"""`FrontEnd`: from clips to spikes of the two-modality network, without any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import raise_missing_modality
from aver.models.layers.rate_coding import LayerClips, LayerInputs, feature_shape, load_layer_clips
from aver.models.synch_graph.settings import SynchGraphSettings
from aver.models.synch_graph.spiking_network import MODALITIES, ClipSpikes, Layer, RecurrentNetwork


@dataclass(frozen=True, eq=False)
class Observed:
    """Spikes of clips, in the order asked, and what was there to look at.

    Parameters
    ----------
    clip_ids : tuple of str
    spikes : tuple of ClipSpikes
    present : mapping of str to np.ndarray [shape=(clips,), dtype=bool]
        By modality.
    coverage : mapping of str to np.ndarray [shape=(clips,)]
    flags : tuple of tuple of str
    """

    clip_ids: tuple[str, ...]
    spikes: tuple[ClipSpikes, ...]
    present: Mapping[str, np.ndarray]
    coverage: Mapping[str, np.ndarray]
    flags: tuple[tuple[str, ...], ...]

    @property
    def silent(self) -> np.ndarray:
        """Which clips stirred no neuron: bool (clips,)."""
        return np.array([len(one) == 0 for one in self.spikes], dtype=bool)

    @property
    def empty(self) -> np.ndarray:
        """Which clips lack every modality: bool (clips,)."""
        return ~np.any(list(self.present.values()), axis=0)

    @property
    def all_flags(self) -> tuple[tuple[str, ...], ...]:
        """Flags, and why a clip has no graph."""
        return tuple(
            (*found, "no spikes") if quiet and not none else found
            for found, none, quiet in zip(self.flags, self.empty, self.silent, strict=True)
        )

    def prediction(
        self,
        classes: tuple[str, ...],
        prior: np.ndarray,
        probabilities: np.ndarray,
        alone: Mapping[str, np.ndarray],
    ) -> Prediction:
        """Predictions with their flags; the prior for clips without spikes, NaN without modality.

        Parameters
        ----------
        classes : tuple of str
        prior : np.ndarray [shape=(classes,)]
        probabilities : np.ndarray [shape=(clips, classes)]
        alone : mapping of str to np.ndarray [shape=(clips, classes)]
            By modality, what it says alone.
        """
        shares = np.where(self.empty[:, None], np.nan, prior)
        return Prediction(
            clip_ids=self.clip_ids,
            classes=classes,
            probabilities=np.where(self.silent[:, None], shares, probabilities),
            by_modality=alone,
            coverage=self.coverage,
            flags=self.all_flags,
        )


class FrontEnd:
    """Rate coding and spiking network; both learn from training clips only.

    Parameters
    ----------
    settings : SynchGraphSettings
    features : mapping of str to Feature
    store : FeatureSource
    """

    def __init__(
        self,
        settings: SynchGraphSettings,
        features: Mapping[str, Feature],
        store: FeatureSource,
    ) -> None:
        self._settings, self._features, self.store = settings, features, store
        self._inputs = {
            modality: LayerInputs(settings.inputs[modality].coding, feature_shape(feature))
            for modality, feature in features.items()
        }
        self.network: RecurrentNetwork | None = None

    def learn(self, train: Sequence[Clip], seed: int) -> None:
        """Learn scales, then weights and thresholds, from training clips.

        Raises
        ------
        MissingModalityError
            If no training clip has a modality.
        """
        loaded = self._load(train)
        for modality, found in loaded.items():
            if not found.present.any():
                raise_missing_modality(modality, found.flags)
            self._inputs[modality].fit(found)
        self.network = self._build(seed)
        self.network.learn(self._rates(loaded, len(train)))

    def observe(self, clips: Sequence[Clip], modalities: Sequence[str] = MODALITIES) -> Observed:
        """Record the spikes of clips; nothing learns.

        Parameters
        ----------
        clips : sequence of Clip
        modalities : sequence of {"video", "audio"}
            Show these only, as if the clips lacked the other.
        """
        assert self.network is not None
        loaded = {name: one for name, one in self._load(clips).items() if name in modalities}
        clip_ids = tuple(clip.clip_id for clip in clips)
        spikes = self.network.observe(self._rates(loaded, len(clips)), clip_ids)
        flags = [
            tuple(dict.fromkeys(flag for found in loaded.values() for flag in found.flags[place]))
            for place in range(len(clips))
        ]
        return Observed(
            clip_ids,
            tuple(spikes),
            {modality: found.present for modality, found in loaded.items()},
            {modality: found.coverage for modality, found in loaded.items()},
            tuple(flags),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, for a checkpoint."""
        assert self.network is not None
        scales = {
            f"{name}/{modality}": values
            for modality, inputs in self._inputs.items()
            for name, values in inputs.arrays().items()
        }
        return scales | {f"spiking/{name}": v for name, v in self.network.arrays().items()}

    def restore(self, arrays: Mapping[str, np.ndarray], seed: int) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        KeyError, AverError
            If an array is missing or does not fit.
        """
        for modality, inputs in self._inputs.items():
            inputs.restore(arrays[f"zero/{modality}"], arrays[f"unit/{modality}"])
        self.network = self._build(seed)
        of_network = {name[8:]: v for name, v in arrays.items() if name.startswith("spiking/")}
        self.network.set_arrays(of_network)

    def _load(self, clips: Sequence[Clip]) -> dict[str, LayerClips]:
        return {
            modality: load_layer_clips(clips, feature, self.store)
            for modality, feature in self._features.items()
        }

    def _rates(self, loaded: Mapping[str, LayerClips], clips: int) -> list[dict[str, np.ndarray]]:
        """Rates by modality, of the modalities that a clip has."""
        rates: list[dict[str, np.ndarray]] = [{} for _ in range(clips)]
        for modality, found in loaded.items():
            for one, its in zip(rates, self._inputs[modality].rates_hz(found), strict=True):
                if its is not None:
                    one[modality] = its
        return rates

    def _build(self, seed: int) -> RecurrentNetwork:
        layers = {
            modality: Layer(
                inputs.input_shape, self._settings.inputs[modality].windows(inputs.input_shape)
            )
            for modality, inputs in self._inputs.items()
        }
        return RecurrentNetwork(self._settings.spiking, layers, seed)
