"""`FeatureStore`: features of clips from a cache that is right or silent."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import AverError, MediaError, SettingsError, StorageError
from aver.execution.files import cache_root, write_atomically, write_json
from aver.execution.progress import progress_bar
from aver.execution.tasks import map_tasks
from aver.features.feature import DerivedFeature, Feature, FeatureRecord

_BLOCK_BYTES = 1 << 20


class ContentKeys:
    """SHA-256 of files' contents, remembered by size, time of change and inode.

    Parameters
    ----------
    folder : Path
        Where notes are kept between runs, so that a corpus is read once only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._known: dict[Path, tuple[list[int], str]] = {}

    def of(self, path: Path) -> str:
        """The key of one file.

        Raises
        ------
        MediaError
            If the file cannot be read.
        StorageError
            If the note cannot be written.
        """
        try:
            state = path.stat()
            stamp = [state.st_size, state.st_mtime_ns, state.st_ino]
            known = self._known.get(path)
            if known is not None and known[0] == stamp:
                return known[1]
            name = hashlib.sha256(str(path.resolve()).encode()).hexdigest()[:32]
            note = self._folder / name[:2] / f"{name}.json"
            key = _read_note(note, stamp)
            if key is None:
                key = _hash_file(path)
                write_json(note, {"stamp": stamp, "sha256": key})
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
        self._known[path] = (stamp, key)
        return key


def _hash_file(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK_BYTES):
            digest.update(block)
    return digest.hexdigest()


def _read_note(note: Path, stamp: list[int]) -> str | None:
    try:
        known = json.loads(note.read_text(encoding="utf-8"))
        return str(known["sha256"]) if known["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


_FORMAT = "aver-feature-1"


class CacheWarning(UserWarning):
    """A cache entry was torn or foreign, and is computed again."""


def write_entry(place: Path, record: FeatureRecord) -> None:
    """Write a record, whole or not at all.

    Raises
    ------
    StorageError
        If the disk is full or the place cannot be written.
    """
    from safetensors.numpy import save

    about = {
        "format": _FORMAT,
        "entry": place.stem,
        "coverage": repr(float(record.coverage)),
        "missing": record.missing,
        "flags": json.dumps(list(record.flags)),
    }
    arrays = {name: np.ascontiguousarray(array) for name, array in record.arrays.items()}
    with write_atomically(place) as temporary:
        temporary.write_bytes(save(arrays, metadata=about))


def read_entry(place: Path) -> FeatureRecord | None:
    """Read what `write_entry` wrote; None with a `CacheWarning` where it is torn or foreign."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(place, framework="numpy") as file:
            about = file.metadata() or {}
            if (about.get("format"), about.get("entry")) != (_FORMAT, place.stem):
                raise ValueError("it was not written under this name and format")
            return FeatureRecord(
                arrays={name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
                coverage=float(about["coverage"]),
                missing=_renamed(about["missing"]),
                flags=tuple(map(_renamed, json.loads(about["flags"]))),
            )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        warnings.warn(
            f"The cache entry {place} is torn or foreign ({error}); it is computed again.",
            CacheWarning,
            stacklevel=3,
        )
        return None


def _renamed(flag: str) -> str:
    return flag.replace("sound", "audio")  # entries of version 0.1 say "no sound"


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

    Safe with several processes: entries are written whole under their final name, and of two
    processes that compute the same entry the later one replaces equal arrays. A torn or foreign
    entry is recomputed with a warning. Clips whose files moved keep their entries.

    Parameters
    ----------
    root : Path, optional
        Cache folder; default `aver.execution.files.cache_root`.
    """

    def __init__(self, root: Path | None = None) -> None:
        self.root = root or cache_root()
        self._content_keys = ContentKeys(self.root / "content")

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, computed now unless the cache holds it.

        Raises
        ------
        MediaError
            If a file of the clip cannot be read.
        FeatureError
            If a table does not fit the feature.
        StorageError
            If the result cannot be written.
        """
        if not feature.paths(clip):
            return feature.extract(clip)  # absent; nothing to key an entry by, nothing to save
        place = self._place(clip, feature)
        record = read_entry(place) if place.exists() else None
        if record is None:
            if isinstance(feature, DerivedFeature):
                record = feature.from_basis(self.get(clip, feature.basis))
            else:
                record = feature.extract(clip)
            write_entry(place, record)
        return record

    def has(self, clip: Clip, feature: Feature) -> bool:
        """Whether `get` would find an entry (whole or torn), or has nothing to compute."""
        return not feature.paths(clip) or self._place(clip, feature).exists()

    def prepare(
        self,
        clips: Sequence[Clip],
        features: Sequence[Feature],
        *,
        workers: int = 1,
        description: str = "Extracting features",
    ) -> Preparation:
        """Compute what is missing, in parallel, and list clips that cannot be used.

        One task is one clip with all it lacks, so that features that build on each other are
        computed one after the other and no file is opened by two processes at a time.

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

        Raises
        ------
        StorageError
            If a result cannot be written: the next one could not either. What was finished is
            kept.
        SettingsError
            If a feature's settings turn out not to work.
        """
        failed: dict[str, str] = {}
        lacking = self._lacking(clips, features, failed)
        computed = sum(len(item.features) for item in lacking)
        outcomes = map_tasks(
            _Extraction(self), lacking, workers=workers, description=description, weight=_work
        )
        with closing(outcomes):  # stops the workers at once where an error leaves this function
            for outcome in outcomes:
                if isinstance(outcome.error, StorageError | SettingsError):
                    raise outcome.error
                if outcome.error is not None:
                    failed[outcome.item.clip.clip_id] = str(outcome.error)
        return Preparation(
            clips=tuple(clip for clip in clips if clip.clip_id not in failed),
            failures=tuple(
                Failure(clip, failed[clip.clip_id]) for clip in clips if clip.clip_id in failed
            ),
            computed=computed,
            cached=len(clips) * len(features) - computed,
        )

    def _lacking(
        self, clips: Sequence[Clip], features: Sequence[Feature], failed: dict[str, str]
    ) -> list[_Lacking]:
        """What must be computed; clips whose files cannot be read go to `failed`."""
        lacking = []
        with progress_bar("Looking at the cache", len(clips)) as bar:
            for clip in clips:
                try:
                    missing = tuple(f for f in features if not self.has(clip, f))
                    if missing:
                        lacking.append(_Lacking(clip, missing))
                except StorageError:
                    raise
                except AverError as error:
                    failed[clip.clip_id] = str(error)
                bar.advance()
        return lacking

    def content_key(self, clip: Clip, feature: Feature) -> str:
        """Hash of what the feature of a clip is made of; empty where the clip lacks the modality.

        Files are read once: after that size, time of change and inode tell whether they changed.

        Raises
        ------
        MediaError
            If a file of the clip cannot be read.
        StorageError
            If what was read cannot be remembered.
        """
        paths = feature.paths(clip)
        if not paths:
            return ""
        digest = hashlib.sha256(feature.identity(clip).encode())
        for path in paths:
            digest.update(self.file_key(path).encode())
        return digest.hexdigest()[:32]

    def file_key(self, path: Path) -> str:
        """Hash of one file's content; raises as `content_key` does."""
        return self._content_keys.of(path)

    def _place(self, clip: Clip, feature: Feature) -> Path:
        entry = self.content_key(clip, feature)
        folder = self.root / "features" / f"{feature.name}-{feature.key}"
        return folder / entry[:2] / f"{entry}.safetensors"


@dataclass(frozen=True)
class _Lacking:
    """A clip and the features that must be computed for it."""

    clip: Clip
    features: tuple[Feature, ...]


@dataclass(frozen=True)
class _Extraction:
    """The task that worker processes run."""

    store: FeatureStore

    def __call__(self, item: _Lacking) -> None:
        for feature in item.features:
            self.store.get(item.clip, feature)


def _work(item: _Lacking) -> float:
    """Expected computing time, in any unit: size of the files times effort."""
    return sum(
        feature.effort * path.stat().st_size / 1e6
        for feature in item.features
        for path in feature.paths(item.clip)
    )
