"""`Feature`: computes arrays from a clip; `FeatureRecord`: these arrays; `features`: the table."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from aver.corpora.clip import Clip
from aver.registry import Registry
from aver.settings import settings_from_mapping

UNREADABLE = "unreadable"
"""How the reason of a missing modality starts if its stream cannot be decoded."""


@dataclass(frozen=True)
class FeatureRecord:
    """Arrays of one clip, how much of the clip they cover, and remarks.

    Parameters
    ----------
    arrays : mapping of str to np.ndarray
        Named arrays; empty if and only if the modality is missing.
    coverage : float in [0, 1]
        Share of the clip's duration that had what the feature needs (a face, audio).
    missing : str
        Why there are no arrays, in a few words ("no face", "no audio"); otherwise empty.
    flags : tuple of str
        Remarks that are shown with a prediction, for instance ``"shorter than one segment"``.
    """

    arrays: Mapping[str, np.ndarray]
    coverage: float = 1.0
    missing: str = ""
    flags: tuple[str, ...] = ()

    @classmethod
    def absent(cls, reason: str) -> FeatureRecord:
        """The record of a clip that lacks the modality."""
        return cls(arrays={}, coverage=0.0, missing=reason)


class Feature(ABC):
    """Base class of features: a frozen dataclass of settings that computes arrays of one clip.

    A subclass is decorated with `aver.settings.settings`. Once it is in the table `features`, the
    cache, the command line and every recognizer can use it.
    """

    name: ClassVar[str]
    modality: ClassVar[str]
    """``"video"``, ``"audio"`` or ``"action_units"``."""
    source: ClassVar[str]
    """Where the feature comes from: paper and section, or library."""
    version: ClassVar[int] = 1
    """Raise it if the same settings now give other values; old cache entries are then unused."""
    layout: ClassVar[int] = 1
    """Raise it if the arrays now mean something else: recognizers that were trained before then
    refuse to load instead of reading them wrongly."""
    effort: ClassVar[float] = 1.0
    """Computing time per byte, relative to other features, for the time left on progress bars."""
    file_settings: ClassVar[tuple[str, ...]] = ()
    """Settings, of this feature or of a nested one, that name files. Such a file is among `paths`:
    its content is part of the cache key, its place is not."""

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Names or paths of pretrained weights that the arrays depend on."""
        return ()

    @property
    def frames_in_1_s(self) -> int:
        """Frames of the arrays that cover one second, the shortest slice in time.

        The default, 30, is for tables without a rate: OpenFace writes one row per video frame.
        """
        return 30

    @abstractmethod
    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """Files whose content determines the result; empty if the clip lacks the modality."""

    @abstractmethod
    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the arrays.

        Raises
        ------
        MediaError
            If a file cannot be read. A readable file that lacks the modality gives
            `FeatureRecord.absent` instead.
        """

    def identity(self, clip: Clip) -> str:
        """What distinguishes clips that share their files, such as rows of one table."""
        return ""

    def settings(self) -> dict[str, Any]:
        """Settings as JSON values: stored in checkpoints, hashed for the cache."""
        return json.loads(json.dumps(asdict(self), default=str))  # type: ignore[call-overload]

    @property
    def layouts(self) -> dict[str, int]:
        """Name and `layout` of this feature and of those that it is computed from."""
        return {self.name: self.layout}

    @cached_property
    def key(self) -> str:
        """Hash of name, version and settings without file names: 16 hexadecimal digits."""
        settings = _without(self.settings(), self.file_settings)
        text = json.dumps([self.name, self.version, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: _without(value, names) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in names
    }


class CombinedFeature(Feature):
    """Base class of features that are computed from the arrays of other features, their bases.

    The store takes the bases from the cache, or computes and caches them, so that no video is
    tracked twice. The settings of the bases are part of those of the feature, and of its key.
    """

    @property
    @abstractmethod
    def bases(self) -> tuple[Feature, ...]:
        """The features to compute from."""

    @abstractmethod
    def combine(self, records: Sequence[FeatureRecord]) -> FeatureRecord:
        """Compute the arrays from the records of the bases, some of which may be absent."""

    @property
    def layouts(self) -> dict[str, int]:
        """Of this feature and of its bases."""
        layouts = {name: layout for basis in self.bases for name, layout in basis.layouts.items()}
        return {**layouts, self.name: self.layout}

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The files of the bases."""
        return tuple(dict.fromkeys(path for basis in self.bases for path in basis.paths(clip)))

    def identity(self, clip: Clip) -> str:
        """Keys and identities of the bases."""
        return "\n".join(f"{basis.key}\n{basis.identity(clip)}" for basis in self.bases)

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute bases and arrays without a cache."""
        return self.combine([basis.extract(clip) for basis in self.bases])


class DerivedFeature(CombinedFeature):
    """Base class of features that are computed from the arrays of one other feature."""

    @property
    @abstractmethod
    def basis(self) -> Feature:
        """The feature to derive from."""

    @abstractmethod
    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Compute the arrays from those of the basis; `record` is never an absent one."""

    @property
    def bases(self) -> tuple[Feature, ...]:
        """The basis alone."""
        return (self.basis,)

    def combine(self, records: Sequence[FeatureRecord]) -> FeatureRecord:
        """`from_basis` of the only record."""
        return self.from_basis(records[0])

    def from_basis(self, record: FeatureRecord) -> FeatureRecord:
        """`derive`, or the record itself if the modality is missing."""
        return record if record.missing else self.derive(record)


features: Registry[Feature] = Registry(
    "feature",
    {
        "face-crops": "aver.features.face_crops:FaceCrops",
        "face-embeddings": "aver.features.face_embeddings:FaceEmbeddings",
        "face-functionals": "aver.features.face_functionals:FaceFunctionals",
        "laplacian-crops": "aver.features.laplacian_crops:LaplacianCrops",
        "spectrogram-segments": "aver.features.spectrogram_segments:SpectrogramSegments",
        "log-spectrogram": "aver.features.log_spectrogram:LogSpectrogram",
        "mel-bands": "aver.features.mel_bands:MelBands",
        "mfcc": "aver.features.mfcc:MFCC",
        "mfcc-functionals": "aver.features.mfcc:MFCCFunctionals",
        "clip-functionals": "aver.features.clip_functionals:ClipFunctionals",
        "audio-functionals": "aver.features.audio_functionals:AudioFunctionals",
        "transformers-audio": "aver.features.transformers_audio:TransformersAudio",
        "transformers-video": "aver.features.transformers_video:TransformersVideo",
        "onnx-faces": "aver.features.onnx_faces:OnnxFaces",
        "joined-functionals": "aver.features.joined_functionals:JoinedFunctionals",
        "egemaps": "aver.features.egemaps:EGeMAPS",
        "action-units": "aver.features.action_units:ActionUnits",
        "action-unit-functionals": "aver.features.action_units:ActionUnitFunctionals",
    },
    "aver.features",
)
"""All features by name. ``@features.register("name")`` adds one; `aver list` prints them."""


def feature_from_settings(name: str, settings: Mapping[str, Any]) -> Feature:
    """Build a feature from the result of `Feature.settings`.

    Raises
    ------
    SettingsError
        If the name is unknown, a setting does not exist, or its value does not fit.
    """
    return settings_from_mapping(features.get(name), settings, name)
