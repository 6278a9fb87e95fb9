"""`ActionUnits`: how far each muscle group of the face is moved, from tables made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.features.feature import Feature, FeatureRecord, features
from aver.features.unit_tables import read_unit_means, read_unit_track


@features.register("action-units")
@dataclass(frozen=True)
class ActionUnits(Feature):
    """Read the action units of a clip from the table that its corpus names.

    Arrays: ``units`` float32 (frames, units), and ``per_frame`` bool (), False for a table of clip
    means, which gives one row. Columns are those whose names start with ``AU``, in the file's
    order. The synthetic corpus brings such tables; `aver.corpora.unit_files.attach_units` attaches
    others.

    Notes
    -----
    Source: Ekman & Friesen (1978), Facial Action Coding System; the column names are those of
    OpenFace 2 (Baltrusaitis et al. 2018): ``_r`` for intensity (0 to 5), ``_c`` for presence.
    """

    name = "action-units"
    modality = "units"
    source = "Ekman & Friesen (1978); tables as OpenFace 2 writes them"
    effort = 0.1

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The table that holds the clip's units."""
        return (clip.units,) if clip.units else ()

    def identity(self, clip: Clip) -> str:
        """The clip's row, where one table holds many clips."""
        return clip.units_row

    def extract(self, clip: Clip) -> FeatureRecord:
        """Read one clip's units."""
        if clip.units is None:
            return FeatureRecord.absent("no action units")
        if clip.units_row:
            return _from_means(read_unit_means(clip.units), clip.units_row)
        track = read_unit_track(clip.units)
        if not len(track.units):
            return FeatureRecord.absent("no face in the action units")
        return FeatureRecord(
            arrays={"units": track.units, "per_frame": np.array(True)}, coverage=track.coverage
        )


def _from_means(means: dict[str, np.ndarray], row: str) -> FeatureRecord:
    if row not in means:
        return FeatureRecord.absent("no action units")
    if not np.isfinite(means[row]).all():
        return FeatureRecord.absent("no face in the action units")
    units = means[row][np.newaxis].copy()  # (1, units)
    return FeatureRecord(arrays={"units": units, "per_frame": np.array(False)})
