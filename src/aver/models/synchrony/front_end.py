"""`FrontEnd`: from clips to spikes of the two-modality network, without any label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import MissingModalityError
from aver.features.feature import Feature
from aver.features.store import FeatureSource
from aver.models.synchrony.clip_maps import ClipMaps, load_clip_maps
from aver.models.synchrony.clip_spikes import ClipSpikes
from aver.models.synchrony.rate_coding import RateCoding
from aver.models.synchrony.recurrent_network import Layer, RecurrentNetwork
from aver.models.synchrony.settings import SynchGraphSettings
from aver.spiking import Windows


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
        self._settings, self._features, self._store = settings, features, store
        self._codings: dict[str, RateCoding] = {}
        self.shapes: dict[str, tuple[int, ...]] = {}
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
            if found.shape is None:
                raise MissingModalityError(
                    f"None of the {len(train)} training clips has the modality {modality!r} "
                    f"({', '.join(found.flags[0]) or 'no reason known'}). "
                    "Leave it out of modalities."
                )
            self.shapes[modality] = found.shape
            self._codings[modality] = RateCoding.learn(
                [one for one in found.maps if one is not None],
                self._settings.channels,
                self._settings.inputs[modality].standardise,
            )
        self.network = self._build(seed)
        self.network.learn(self._rates(loaded, len(train)))

    def observe(self, clips: Sequence[Clip]) -> Observed:
        """Record the spikes of clips; nothing learns."""
        assert self.network is not None
        loaded = self._load(clips)
        clip_ids = tuple(clip.clip_id for clip in clips)
        spikes = self.network.observe(self._rates(loaded, len(clips)), clip_ids)
        flags = [
            tuple(dict.fromkeys(flag for found in loaded.values() for flag in found.flags[place]))
            for place in range(len(clips))
        ]
        return Observed(
            clip_ids,
            tuple(spikes),
            {m: np.array([one is not None for one in f.maps], bool) for m, f in loaded.items()},
            {modality: found.coverage for modality, found in loaded.items()},
            tuple(flags),
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """All that was learnt, for a checkpoint."""
        assert self.network is not None
        scales = {
            f"coding/{modality}/{name}": values
            for modality, coding in self._codings.items()
            for name, values in coding.arrays().items()
        }
        return scales | {f"spiking/{name}": v for name, v in self.network.arrays().items()}

    def restore(
        self, arrays: Mapping[str, np.ndarray], shapes: Mapping[str, tuple[int, ...]], seed: int
    ) -> None:
        """Take up what `arrays` gave.

        Raises
        ------
        KeyError, AverError
            If an array is missing or does not fit.
        """
        self.shapes = {modality: tuple(shape) for modality, shape in shapes.items()}
        for modality in self._settings.modalities:
            scales = {name: arrays[f"coding/{modality}/{name}"] for name in ("mean", "deviation")}
            self._codings[modality] = RateCoding.from_arrays(scales, self._settings.channels)
        self.network = self._build(seed)
        of_network = {name[8:]: v for name, v in arrays.items() if name.startswith("spiking/")}
        self.network.set_arrays(of_network)

    def _load(self, clips: Sequence[Clip]) -> dict[str, ClipMaps]:
        return {
            modality: load_clip_maps(clips, self._settings.inputs[modality], feature, self._store)
            for modality, feature in self._features.items()
        }

    def _rates(self, loaded: Mapping[str, ClipMaps], clips: int) -> list[dict[str, np.ndarray]]:
        """Rates by modality, of the modalities that a clip has."""
        rates: list[dict[str, np.ndarray]] = [{} for _ in range(clips)]
        for modality, found in loaded.items():
            for one, numbers in zip(rates, found.maps, strict=True):
                if numbers is not None:
                    one[modality] = self._codings[modality].rates_hz(numbers)
        return rates

    def _build(self, seed: int) -> RecurrentNetwork:
        layers = {}
        for modality, shape in self.shapes.items():
            seen = self._settings.inputs[modality]
            channels = self._codings[modality].channel_count
            windows = Windows((channels, *seen.window), (channels, *seen.stride))
            layers[modality] = Layer((channels, *shape), windows)
        return RecurrentNetwork(self._settings.spiking, layers, seed)
