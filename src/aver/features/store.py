"""`FeatureStore`: computes features of clips once and caches them by content and settings."""

from __future__ import annotations

import hashlib
import json
import os
import time
import warnings
from collections.abc import Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, Protocol

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import (
    AverError,
    CheckpointError,
    MediaError,
    SettingsError,
    StorageError,
)
from aver.execution.clip_work import clip_work
from aver.execution.files import cache_root, write_atomically, write_json
from aver.execution.progress import progress_bar
from aver.execution.tasks import map_tasks
from aver.features.feature import UNREADABLE, CombinedFeature, Feature, FeatureRecord

_FORMAT = "aver-feature-1"
NOT_ABOUT_ONE_CLIP = (StorageError, SettingsError, CheckpointError)
"""Errors that stop all work, since the next clip would have them as well."""


class FeatureSource(Protocol):
    """What recognizers get features from: the store, or planted arrays in a test."""

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
        Clips with all features in the cache, in the order given.
    failures : tuple of Failure
    computed, cached : int
        Features (clips times features) computed now, and found in the cache.
    """

    clips: tuple[Clip, ...]
    failures: tuple[Failure, ...]
    computed: int
    cached: int


class FeatureStore:
    """Computes features once and caches them, keyed by file content and settings.

    Safe with several processes: an entry appears whole under its final name, and if two processes
    compute the same entry, the later one replaces equal arrays. A damaged or foreign entry is
    computed again with a warning. Clips whose files moved keep their entries.

    Parameters
    ----------
    root : Path, optional
        Cache folder; default `aver.execution.files.cache_root`, looked up when it is needed.
    """

    def __init__(self, root: Path | None = None) -> None:
        self._given_root = root

    @cached_property
    def root(self) -> Path:
        """Cache folder.

        Raises
        ------
        StorageError
            If none is given and there is no home folder.
        """
        return self._given_root or cache_root()

    @cached_property
    def _content_keys(self) -> ContentKeys:
        return ContentKeys(self.root / "content")

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip, from the cache or computed now.

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
            return feature.extract(clip)  # an absent record, which needs no entry
        path = self._path(clip, feature)
        record = read_entry(path) if path.exists() else None
        if record is not None:
            _note_use(path)
        else:
            if isinstance(feature, CombinedFeature):
                record = feature.combine([self.get(clip, basis) for basis in feature.bases])
            else:
                record = feature.extract(clip)
            if not record.missing.startswith(UNREADABLE):  # looked at again, and listed again
                write_entry(path, record)
        return record

    def has(self, clip: Clip, feature: Feature) -> bool:
        """Whether there is an entry (whole or damaged), or nothing to compute."""
        return not feature.paths(clip) or self._path(clip, feature).exists()

    def prepare(
        self,
        clips: Sequence[Clip],
        features: Sequence[Feature],
        *,
        workers: int = 1,
        description: str = "Extracting features",
    ) -> Preparation:
        """Compute what is missing, in parallel, and list the clips that cannot be used.

        One task is one clip with all features that it lacks, so that features that build on each
        other are computed in turn and no file is opened by two processes at a time.

        Parameters
        ----------
        clips : sequence of Clip
        features : sequence of Feature
        workers : int >= 1
            Processes.
        description : str
            Label of the progress bar, which counts only what must be computed.

        Returns
        -------
        Preparation

        Raises
        ------
        StorageError
            If a result cannot be written, since the next one could not be written either. Results
            up to then are kept.
        SettingsError
            If the settings of a feature turn out to be unusable.
        CheckpointError
            If pretrained weights of a feature are missing or unusable.
        """
        failed: dict[str, str] = {}
        lacking = self._lacking(clips, features, failed)
        computed = sum(len(item.features) for item in lacking)
        outcomes = map_tasks(
            _Extraction(self, tuple(features)),
            lacking,
            workers=workers,
            description=description,
            weight=_work,
            unit="clips",
        )
        with closing(outcomes):  # stops the workers at once if an error leaves this function
            for outcome in outcomes:
                if isinstance(outcome.error, NOT_ABOUT_ONE_CLIP):
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
        """What must be computed; clips whose files cannot be read are added to `failed`."""
        lacking = []
        with progress_bar("Looking at the cache", len(clips), "clips") as bar:
            for clip in clips:
                try:
                    with clip_work(_shown(clip)):
                        missing = tuple(f for f in features if not self.has(clip, f))
                    if missing:
                        lacking.append(_Lacking(clip, missing))
                except NOT_ABOUT_ONE_CLIP:
                    raise
                except AverError as error:
                    failed[clip.clip_id] = str(error)
                bar.advance()
        return lacking

    def content_key(self, clip: Clip, feature: Feature) -> str:
        """Hash of the files a feature is computed from; empty if the clip lacks the modality.

        A file is read once; later, its size, modification time and inode show whether it changed.

        Raises
        ------
        MediaError
            If a file of the clip cannot be read.
        StorageError
            If the hash cannot be stored.
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

    def _path(self, clip: Clip, feature: Feature) -> Path:
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
    features: tuple[Feature, ...]
    """All that are asked for, not only those that a clip lacks."""

    def __call__(self, item: _Lacking) -> None:
        with clip_work(_shown(item.clip)):
            found = [self.store.get(item.clip, feature).missing for feature in item.features]
            if not any(reason.startswith(UNREADABLE) for reason in found):
                return
            if not all(self.store.get(item.clip, feature).missing for feature in self.features):
                return
        raise MediaError(
            f"Nothing in {item.clip.video or item.clip.audio} can be decoded: the file is "
            "truncated or damaged. Download it again."
        )


def _shown(clip: Clip) -> Path | str:
    return clip.video or clip.audio or clip.clip_id


def _work(item: _Lacking) -> float:
    """Expected computing time, in any unit: size of the files times effort."""
    return sum(
        feature.effort * path.stat().st_size / 1e6
        for feature in item.features
        for path in feature.paths(item.clip)
    )


def _note_use(path: Path) -> None:
    """Set the time of access, which many file systems do not; `clear_cache` goes by it."""
    with suppress(OSError):
        state = path.stat()
        os.utime(path, ns=(time.time_ns(), state.st_mtime_ns))


class CacheWarning(UserWarning):
    """A cache entry was damaged or foreign, and is computed again."""


def write_entry(path: Path, record: FeatureRecord) -> None:
    """Write a record atomically, for the user alone: it may show the face of a participant.

    Raises
    ------
    StorageError
        If the disk is full or `path` cannot be written.
    """
    metadata = {
        "format": _FORMAT,
        "entry": path.stem,
        "coverage": repr(float(record.coverage)),
        "missing": record.missing,
        "flags": json.dumps(list(record.flags)),
    }
    with write_atomically(path, private=True) as temporary, temporary.open("wb") as file:
        _write_safetensors(file, record.arrays, metadata)


_TYPES = {
    **{"bool": "BOOL", "float16": "F16", "float32": "F32", "float64": "F64"},
    **{f"int{bits}": f"I{bits}" for bits in (8, 16, 32, 64)},
    **{f"uint{bits}": f"U{bits}" for bits in (8, 16, 32, 64)},
}


def _write_safetensors(
    file: BinaryIO, arrays: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write without a copy: the library needs two, and two hours of face crops are 0.5 GB.

    Source: https://huggingface.co/docs/safetensors, "Format". Large elements come first, so that
    all are aligned; the header is padded to a multiple of 8 bytes.
    """
    header: dict[str, Any] = {"__metadata__": dict(metadata)}
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    order = sorted(contiguous, key=lambda name: (-contiguous[name].itemsize, name))
    end = 0
    for name in order:
        array = contiguous[name]
        start, end = end, end + array.nbytes
        header[name] = {
            "dtype": _TYPES[array.dtype.name],
            "shape": list(array.shape),
            "data_offsets": [start, end],
        }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    file.write(len(text).to_bytes(8, "little") + text)
    for name in order:
        file.write(contiguous[name].reshape(-1).view(np.uint8).data)


def read_entry(path: Path) -> FeatureRecord | None:
    """Read what `write_entry` wrote; None with a `CacheWarning` if it is damaged or foreign."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            if (metadata.get("format"), metadata.get("entry")) != (_FORMAT, path.stem):
                raise ValueError("it was not written under this name and format")
            return FeatureRecord(
                arrays={name: file.get_tensor(name) for name in file.keys()},  # noqa: SIM118
                coverage=float(metadata["coverage"]),
                missing=_renamed(metadata["missing"]),
                flags=tuple(map(_renamed, json.loads(metadata["flags"]))),
            )
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        warnings.warn(
            f"The cache entry {path} is damaged or foreign ({error}); it is computed again.",
            CacheWarning,
            stacklevel=3,
        )
        return None


def _renamed(text: str) -> str:
    return text.replace("sound", "audio")  # entries of version 0.1 say "no sound"


class ContentKeys:
    """SHA-256 of files' contents, remembered with size, modification time and inode.

    Parameters
    ----------
    folder : Path
        Keeps the hashes between runs, so that a corpus is read once only.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._keys: dict[Path, tuple[list[int], str]] = {}

    def of(self, path: Path) -> str:
        """The key of one file.

        Raises
        ------
        MediaError
            If the file cannot be read.
        StorageError
            If the hash cannot be stored.
        """
        try:
            state = path.stat()
            stamp = [state.st_size, state.st_mtime_ns, state.st_ino]
            if path in self._keys and self._keys[path][0] == stamp:
                return self._keys[path][1]
            name = hashlib.sha256(os.fsencode(path.resolve())).hexdigest()[:32]
            stored = self._folder / name[:2] / f"{name}.json"
            key = _read_key(stored, stamp)
            if key is None:
                with path.open("rb") as file:
                    key = hashlib.file_digest(file, "sha256").hexdigest()
                write_json(stored, {"stamp": stamp, "sha256": key})
        except OSError as error:
            raise MediaError(f"{path} cannot be read: {error.strerror}.") from None
        self._keys[path] = (stamp, key)
        return key


def _read_key(stored: Path, stamp: list[int]) -> str | None:
    try:
        content = json.loads(stored.read_text(encoding="utf-8"))
        return str(content["sha256"]) if content["stamp"] == stamp else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
