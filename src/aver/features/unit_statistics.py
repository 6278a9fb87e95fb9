"""`UnitStatistics`: a clip's action units in one short vector, for classical classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from aver.features.action_units import ActionUnits
from aver.features.derived_feature import DerivedFeature
from aver.features.feature import Feature, FeatureRecord, features


@features.register("unit-statistics")
@dataclass(frozen=True)
class UnitStatistics(DerivedFeature):
    """Mean and deviation of each action unit over the frames of a clip.

    Array: ``statistics`` float32 (2 x units,) from tracks; (units,), the means alone, from tables
    of clip means, which have no deviation.
    """

    name = "unit-statistics"
    modality = "units"
    source = "Functionals of the action units"
    effort = 0.1

    @cached_property
    def basis(self) -> Feature:
        """The action units themselves."""
        return ActionUnits()

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Mean and deviation over frames."""
        units = record.arrays["units"]  # (frames, units)
        parts = [units.mean(axis=0)]
        if record.arrays["per_frame"]:
            parts.append(units.std(axis=0))
        return FeatureRecord(
            arrays={"statistics": np.concatenate(parts).astype(np.float32)},
            coverage=record.coverage,
            flags=record.flags,
        )
