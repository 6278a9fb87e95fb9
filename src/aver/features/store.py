"""`FeatureStore`: features of clips from a cache that is right or silent."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import AverError, MediaError
from aver.execution.atomic import write_atomically, write_json
from aver.execution.places import cache_root
from aver.execution.tasks import map_tasks
from aver.features.feature import Feature, FeatureRecord

_FORMAT = "aver-feature-1"
_HASH_BLOCK_BYTES = 1 << 20


class FeatureSource(Protocol):
    """What recognisers ask for features: the store, or arrays that a test planted."""

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip."""
        ...


@dataclass(frozen=True)
class Failure:
    """A clip whose features could not be computed, and why."""

    clip: Clip
    reason: str


@dataclass(frozen=True)
class Preparation:
    """What `FeatureStore.prepare` did.

    Parameters
    ----------
    clips : tuple of Clip
        Those whose features are all there now, in the order asked for.
    failures : tuple of Failure
    computed, cached : int
        Features (clip times feature) computed now, and found in the cache.
    """

    clips: tuple[Clip, ...]
    failures: tuple[Failure, ...]
    computed: int
    cached: int


class FeatureStore:
    """Computes features once and keeps them, keyed by file content and settings.

    Safe with several processes: entries are written whole under their final name, and two
    processes that compute the same entry write the same bytes. A torn or foreign entry is
    recomputed with a warning. Clips whose files moved keep their entries.

    Parameters
    ----------
    root : Path, optional
        Cache folder; default `aver.execution.places.cache_root`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()
        self._content_keys: dict[Path, str] = {}

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, computed now unless the cache holds it.

        Raises
        ------
        MediaError
            If a file of the clip cannot be read.
        StorageError
            If the result cannot be written.
        """
        place = self._place(clip, feature)
        record = _read(place) if place.exists() else None
        if record is None:
            record = feature.extract(clip)
            _write(place, record)
        return record

    def has(self, clip: Clip, feature: Feature) -> bool:
        """Whether the cache holds an entry (whole or torn)."""
        return self._place(clip, feature).exists()

    def prepare(
        self,
        clips: Sequence[Clip],
        features: Sequence[Feature],
        *,
        workers: int = 1,
        description: str = "Extracting features",
    ) -> Preparation:
        """Compute what is missing, in parallel, and list clips that cannot be used.

        Parameters
        ----------
        clips : sequence of Clip
        features : sequence of Feature
        workers : int >= 1
            Processes.
        description : str
            Words in front of the progress bar, which counts only what must be computed.

        Returns
        -------
        Preparation
        """
        failed: dict[str, str] = {}
        missing: list[tuple[Clip, Feature]] = []
        for clip in clips:
            for feature in features:
                try:
                    if not self.has(clip, feature):
                        missing.append((clip, feature))
                except MediaError as error:
                    failed[clip.clip_id] = str(error)
        work = _Extraction(self)
        for outcome in map_tasks(
            work, missing, workers=workers, description=description, weight=_file_size
        ):
            if outcome.error is not None:
                failed[outcome.item[0].clip_id] = str(outcome.error)
        return Preparation(
            clips=tuple(clip for clip in clips if clip.clip_id not in failed),
            failures=tuple(
                Failure(clip, failed[clip.clip_id]) for clip in clips if clip.clip_id in failed
            ),
            computed=len(missing),
            cached=len(clips) * len(features) - len(missing),
        )

    def _place(self, clip: Clip, feature: Feature) -> Path:
        digest = hashlib.sha256(feature.identity(clip).encode())
        for path in feature.paths(clip):
            digest.update(self._content_key(path).encode())
        entry = digest.hexdigest()[:32]
        folder = self.root / "features" / f"{feature.name}-{feature.key}"
        return folder / entry[:2] / f"{entry}.safetensors"

    def _content_key(self, path: Path) -> str:
        """SHA-256 of a file's content, remembered by size and time of change."""
        if path in self._content_keys:
            return self._content_keys[path]
        try:
            state = path.stat()
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
        stamp = [state.st_size, state.st_mtime_ns, state.st_ino]
        name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
        note = self.root / "content" / name[:2] / f"{name}.json"
        key = _remembered(note, stamp)
        if key is None:
            key = _hash_file(path)
            write_json(note, {"stamp": stamp, "sha256": key})
        self._content_keys[path] = key
        return key


@dataclass(frozen=True)
class _Extraction:
    """The task that worker processes run."""

    store: FeatureStore

    def __call__(self, item: tuple[Clip, Feature]) -> None:
        self.store.get(*item)


def _file_size(item: tuple[Clip, Feature]) -> float:
    clip, feature = item
    return sum(path.stat().st_size for path in feature.paths(clip)) / 1e6 or 1e-3


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while block := file.read(_HASH_BLOCK_BYTES):
                digest.update(block)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
    return digest.hexdigest()


def _remembered(note: Path, stamp: list[int]) -> str | None:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return str(known["sha256"]) if known["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _write(place: Path, record: FeatureRecord) -> None:
    from safetensors.numpy import save

    about = {
        "format": _FORMAT,
        "coverage": repr(float(record.coverage)),
        "missing": record.missing,
        "flags": json.dumps(list(record.flags)),
    }
    arrays: Mapping[str, np.ndarray] = {
        name: np.ascontiguousarray(array) for name, array in record.arrays.items()
    }
    with write_atomically(place) as temporary:
        temporary.write_bytes(save(dict(arrays), metadata=about))


def _read(place: Path) -> FeatureRecord | None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, framework="numpy") as file:
            about = file.metadata() or {}
            if about.get("format") != _FORMAT:
                raise AverError("another format")
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            return FeatureRecord(
                arrays=arrays,
                coverage=float(about["coverage"]),
                missing=about["missing"],
                flags=tuple(json.loads(about["flags"])),
            )
    except (SafetensorError, AverError, OSError, KeyError, ValueError) as error:
        warnings.warn(
            f"The cache entry {place} is torn or foreign ({error}); it is computed again.",
            stacklevel=3,
        )
        return None
