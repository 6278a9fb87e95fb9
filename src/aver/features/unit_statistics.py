"""`UnitStatistics`: a clip's action units in one short vector, for classical classifiers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

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

    Parameters
    ----------
    path : Path or str, optional
        As `ActionUnits` takes it.
    """

    path: Path | None = None

    name = "unit-statistics"
    modality = "units"
    source = "Functionals of the action units"
    places = ("path",)
    effort = 0.1

    def __post_init__(self) -> None:
        if self.path is not None:
            object.__setattr__(self, "path", Path(self.path).expanduser())

    @cached_property
    def basis(self) -> Feature:
        """The action units themselves."""
        return ActionUnits(self.path)

    def derive(self, record: FeatureRecord) -> FeatureRecord:
        """Mean and deviation over frames."""
        units = record.arrays["units"]  # (frames, units)
        is_clip_mean = self.path is not None and not self.path.is_dir()
        parts = [units.mean(axis=0)] if is_clip_mean else [units.mean(axis=0), units.std(axis=0)]
        return FeatureRecord(
            arrays={"statistics": np.concatenate(parts).astype(np.float32)},
            coverage=record.coverage,
            flags=record.flags,
        )
