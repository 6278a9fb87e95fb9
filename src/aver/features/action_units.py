"""`ActionUnits`: how far each muscle group of the face is moved, from tables made elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import Feature, FeatureRecord, features
from aver.features.unit_tables import read_unit_means, read_unit_track


@features.register("action-units")
@dataclass(frozen=True)
class ActionUnits(Feature):
    """Look a clip's action units up in a table, a folder of tables, or beside the clip.

    Array: ``units`` float32 (frames, units); a table of clip means gives one frame. Columns are
    those whose names start with ``AU``, in the file's order.

    Parameters
    ----------
    path : Path or str, optional
        A CSV with one row per clip, its first column one of the clip's names; or a folder in which
        (at any depth) a CSV named after the clip holds one row per frame. Columns may be separated
        by ``,`` or ``;``. Without it, the clip's own table (`Clip.units`), one row per frame, as
        the synthetic corpus has them. The file's content counts for the cache, not its path.

    Notes
    -----
    Source: Ekman & Friesen (1978), Facial Action Coding System; the column names are those of
    OpenFace 2 (Baltrusaitis et al. 2018): ``_r`` for intensity (0 to 5), ``_c`` for presence.
    """

    path: Path | None = None

    name = "action-units"
    modality = "units"
    source = "Ekman & Friesen (1978); tables as OpenFace 2 writes them"
    places = ("path",)
    effort = 0.1

    def __post_init__(self) -> None:
        if self.path is not None:
            object.__setattr__(self, "path", Path(self.path).expanduser())

    def paths(self, clip: Clip) -> tuple[Path, ...]:
        """The table that holds the clip's units.

        Raises
        ------
        FeatureError
            If the table or folder of the settings does not exist.
        """
        if self.path is None:
            return (clip.units,) if clip.units else ()
        if self.path.is_dir():
            tracks = _tracks_below(self.path)
            return tuple(tracks[name] for name in clip.names if name in tracks)[:1]
        if not self.path.exists():
            raise FeatureError(
                f"There are no action units at {self.path}. Give a CSV keyed by clip names, or a "
                "folder of one CSV per clip."
            )
        return (self.path,)

    def identity(self, clip: Clip) -> str:
        """The clip's names, where one table holds many clips."""
        return "\n".join(clip.names) if self._is_table_of_clips else ""

    @property
    def _is_table_of_clips(self) -> bool:
        return self.path is not None and not self.path.is_dir()

    def extract(self, clip: Clip) -> FeatureRecord:
        """Read one clip's units."""
        paths = self.paths(clip)
        if not paths:
            return FeatureRecord.absent("no action units")
        if self._is_table_of_clips:
            return _from_means(read_unit_means(paths[0]), clip)
        track = read_unit_track(paths[0])
        if not len(track.units):
            return FeatureRecord.absent("no face in the action units")
        return FeatureRecord(arrays={"units": track.units}, coverage=track.coverage)


def _from_means(means: dict[str, np.ndarray], clip: Clip) -> FeatureRecord:
    for name in clip.names:
        if name in means:
            units = means[name]
            if not np.isfinite(units).all():
                return FeatureRecord.absent("no face in the action units")
            return FeatureRecord(arrays={"units": units[np.newaxis].copy()})
    return FeatureRecord.absent("no action units")


@lru_cache(maxsize=4)
def _tracks_below(folder: Path) -> dict[str, Path]:
    """File stems to files; the first by path where two have the same stem."""
    found: dict[str, Path] = {}
    for path in sorted(folder.rglob("*.csv")):
        found.setdefault(path.stem, path)
    return found
