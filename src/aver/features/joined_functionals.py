"""`JoinedFunctionals`: the functionals of several audio features side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Annotated, Any

import numpy as np

from aver.errors import SettingsError
from aver.features.feature import CombinedFeature, Feature, FeatureRecord, feature_from_settings
from aver.features.feature import features as registered
from aver.settings import Field, settings


@settings
class JoinedFunctionals(CombinedFeature):
    """Vectors of several audio features as one.

    Array: ``statistics`` float32, the vectors in the order of `features`. The modality is missing
    if it is missing in any of them.

    Parameters
    ----------
    features : tuple of str
        Names of audio features that yield ``statistics``.
    feature_settings : mapping of str to mapping
        By name, settings that differ from the defaults.

    Raises
    ------
    SettingsError
        If a feature is unknown, not one of audio, or named twice.
    """

    features: Annotated[tuple[str, ...], Field(min_length=1)] = ("audio-functionals", "egemaps")
    feature_settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    name = "joined-functionals"
    modality = "audio"
    source = "the features it joins"
    file_settings = ("encoder",)

    @property
    def pretrained_weights(self) -> tuple[str, ...]:
        """Those of the features."""
        return tuple(name for basis in self.bases for name in basis.pretrained_weights)

    def __post_init__(self) -> None:
        if len(set(self.features)) < len(self.features):
            raise SettingsError(
                f"The setting 'features' must name each feature once, not {self.features}."
            )
        for name in (*self.features, *self.feature_settings):
            if name == self.name or registered.get(name).modality != "audio":
                raise SettingsError(
                    f"The setting 'features' must name features of audio, not {name!r}."
                )

    @cached_property
    def bases(self) -> tuple[Feature, ...]:
        """The features to join."""
        return tuple(
            feature_from_settings(name, self.feature_settings.get(name, {}))
            for name in self.features
        )

    def combine(self, records: Sequence[FeatureRecord]) -> FeatureRecord:
        """The vectors side by side; the coverage is that of the first."""
        absent = next((record for record in records if record.missing), None)
        if absent is not None:
            return absent
        for name, record in zip(self.features, records, strict=True):
            if "statistics" not in record.arrays:
                raise SettingsError(f"The feature {name!r} has no functionals to join.")
        vectors = [record.arrays["statistics"] for record in records]
        flags = tuple(dict.fromkeys(flag for record in records for flag in record.flags))
        return FeatureRecord(
            {"statistics": np.concatenate(vectors)}, records[0].coverage, "", flags
        )
