"""`DegradedFeatures`: features of worse media, extracted as those of any other files are."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from aver.corpora.clip import Clip
from aver.execution.tasks import map_tasks
from aver.features.cache_entry import read_entry, write_entry
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureStore
from aver.media.degradation import Degradation, Level
from aver.media.degrade_clip import degrade_clip


@dataclass(frozen=True)
class DegradedFeatures:
    """Where recognisers find features of clips whose media got worse.

    Worse media are written to a folder of the moment, read by the very features that answers for
    files of one's own are made from, and deleted. What a damage does not touch comes from the
    user's cache.

    Parameters
    ----------
    store : FeatureStore
        For features that are not touched.
    folder : Path
        Where records of this damage are kept; empty before `prepare`.
    kind : Degradation
    level : float or str
    seed : int
    voices : mapping of str to tuple of Path
        By clip, what babble is made of.
    """

    store: FeatureStore
    folder: Path
    kind: Degradation
    level: Level
    seed: int = 0
    voices: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, after the damage."""
        place = self._place(clip, feature)
        record = read_entry(place) if place.exists() else None
        return self.store.get(clip, feature) if record is None else record

    def prepare(self, clips: Sequence[Clip], features: Sequence[Feature], workers: int = 1) -> None:
        """Damage the clips, and extract what that changes.

        Raises
        ------
        MediaError
            If a clip cannot be read.
        """
        distinct = tuple({feature.key: feature for feature in features}.values())
        level = self.level if isinstance(self.level, str) else f"{self.level:g}"
        outcomes = map_tasks(
            _Damage(self, distinct), clips, workers=workers, description=f"{self.kind.name} {level}"
        )
        for outcome in outcomes:
            if outcome.error is not None:
                raise outcome.error

    def extract(self, clip: Clip, features: Sequence[Feature]) -> None:
        """Damage one clip and keep the features that differ."""
        with TemporaryDirectory(prefix="aver-") as scratch:
            worse = degrade_clip(
                clip,
                self.kind,
                self.level,
                Path(scratch),
                seed=self.seed,
                voices=self.voices.get(clip.clip_id, ()),
            )
            for feature in features:
                if feature.paths(worse) != feature.paths(clip):
                    write_entry(self._place(clip, feature), feature.extract(worse))

    def _place(self, clip: Clip, feature: Feature) -> Path:
        name = hashlib.sha256(f"{feature.name} {feature.key} {clip.clip_id}".encode()).hexdigest()
        return self.folder / f"{name[:32]}.safetensors"


@dataclass(frozen=True)
class _Damage:
    """The task that worker processes run."""

    features: DegradedFeatures
    wanted: tuple[Feature, ...]

    def __call__(self, clip: Clip) -> None:
        self.features.extract(clip, self.wanted)
