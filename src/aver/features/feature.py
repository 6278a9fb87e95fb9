"""`Feature`: what turns a clip into arrays for models, and `FeatureRecord`, what it yields."""

from __future__ import annotations

import hashlib
import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from aver.corpora.clip import Clip
from aver.registry import Registry
from aver.settings import settings_from_mapping


@dataclass(frozen=True)
class FeatureRecord:
    """Arrays of one clip, how much of the clip they cover, and what to know about them.

    Parameters
    ----------
    arrays : mapping of str to np.ndarray
        Named arrays; empty exactly where the modality is missing.
    coverage : float in [0, 1]
        Share of the clip's duration that had what the feature needs (a face, sound).
    missing : str
        Why there are no arrays, as a few words ("no face", "no sound"); empty otherwise.
    flags : tuple of str
        What a reader of the result should know, for instance ``"shorter than one segment"``.
    """

    arrays: Mapping[str, np.ndarray]
    coverage: float = 1.0
    missing: str = ""
    flags: tuple[str, ...] = field(default=())

    @classmethod
    def absent(cls, reason: str) -> FeatureRecord:
        """The record of a clip that lacks this modality."""
        return cls(arrays={}, coverage=0.0, missing=reason)


class Feature(ABC):
    """A frozen dataclass of settings that knows how to extract itself from one clip.

    Subclass as a frozen dataclass, decorate with ``@features.register("name")``, and the cache,
    the command line and every recogniser can use it.
    """

    name: ClassVar[str]
    modality: ClassVar[str]
    """``"video"``, ``"audio"`` or ``"action_units"``."""
    source: ClassVar[str]
    """Where the feature comes from: paper and section, or library."""
    version: ClassVar[int] = 1
    """Raise it when the same settings yield other numbers; old cache entries then no longer fit."""
    effort: ClassVar[float] = 1.0
    """Computing time for a file, relative to other features; makes the time left right."""
    file_settings: ClassVar[tuple[str, ...]] = ()
    """Settings that name files, of this feature or of one within it. Such a file is among `paths`:
    its content counts for the cache, not where it lies."""

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Names or paths of pretrained weights that the arrays depend on."""
        return ()

    @abstractmethod
    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """Files whose content the result depends on; empty where the clip lacks the modality."""

    @abstractmethod
    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute the arrays.

        Raises
        ------
        MediaError
            If a file cannot be read. A file that is fine but lacks the modality yields
            `FeatureRecord.absent` instead.
        """

    def identity(self, clip: Clip) -> str:
        """What besides file content tells clips apart, for tables that hold many clips."""
        return ""

    def settings(self) -> dict[str, Any]:
        """Settings as plain JSON values: stored in checkpoints, hashed for the cache."""
        return json.loads(json.dumps(asdict(self), default=str))  # type: ignore[call-overload]

    @cached_property
    def key(self) -> str:
        """Hash of name, version and settings other than files: 16 hexadecimal digits."""
        settings = _without(self.settings(), self.file_settings)
        text = json.dumps([self.name, self.version, settings], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]


def _without(settings: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    return {
        key: _without(value, names) if isinstance(value, dict) else value
        for key, value in settings.items()
        if key not in names
    }


features: Registry[Feature] = Registry(
    "feature",
    {
        "action-units": "aver.features.action_units:ActionUnits",
        "mfcc": "aver.features.mfcc:MFCC",
        "face-crops": "aver.features.face_crops:FaceCrops",
        "face-embeddings": "aver.features.face_embeddings:FaceEmbeddings",
        "face-functionals": "aver.features.face_functionals:FaceFunctionals",
        "laplacian-crops": "aver.features.laplacian_crops:LaplacianCrops",
        "log-spectrogram": "aver.features.log_spectrogram:LogSpectrogram",
        "mel-bands": "aver.features.mel_bands:MelBands",
        "audio-functionals": "aver.features.audio_functionals:AudioFunctionals",
        "spectrogram-segments": "aver.features.spectrogram_segments:SpectrogramSegments",
        "action-unit-functionals": "aver.features.action_units:ActionUnitFunctionals",
    },
    "aver.features",
)
"""All features. ``@features.register("name")`` adds one; `aver list` prints them."""


def feature_from_settings(name: str, settings: Mapping[str, Any]) -> Feature:
    """Rebuild a feature from what `Feature.settings` gave, as checkpoints do.

    Raises
    ------
    SettingsError
        If the name is unknown or a setting does not exist.
    """
    return settings_from_mapping(features.get(name), settings, name)


class DerivedFeature(Feature):
    """Subclass this where another feature already did the costly part.

    The store fetches the basis from the cache (or computes and keeps it) and hands it to `derive`,
    so that a video is never tracked twice. A derived feature's own settings must hold those of its
    basis, so that its key changes with them.
    """

    @property
    @abstractmethod
    def basis(self) -> Feature:
        """The feature to derive from."""

    @abstractmethod
    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Compute the arrays from the basis; `record` is never an absent one."""

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """As the basis has them."""
        return self.basis.paths(clip)

    def identity(self, clip: Clip) -> str:
        """As the basis has it, with its version."""
        return f"{self.basis.key}\n{self.basis.identity(clip)}"

    def extract(self, clip: Clip) -> FeatureRecord:
        """Compute basis and arrays without a cache."""
        return self.from_basis(self.basis.extract(clip))

    def from_basis(self, record: FeatureRecord) -> FeatureRecord:
        """Derive from a record of the basis, or pass on why it is absent."""
        return record if record.missing else self.derive(record)
