"""`Features`: one feature of many clips as a table, for other programs and for scikit-learn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from aver.corpora.clip import Clip
from aver.errors import FeatureError
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import Failure, FeatureStore

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class Features:
    """One feature of clips, in the order of the clips.

    Parameters
    ----------
    feature : Feature
    clips : tuple of Clip
        Those that could be read.
    records : tuple of FeatureRecord
        One per clip; without arrays if the clip lacks the modality.
    failures : tuple of Failure
        Clips that could not be read.
    """

    feature: Feature
    clips: tuple[Clip, ...]
    records: tuple[FeatureRecord, ...]
    failures: tuple[Failure, ...] = ()

    def __len__(self) -> int:
        return len(self.clips)

    def __repr__(self) -> str:
        shapes = {
            name: array.shape for record in self.records for name, array in record.arrays.items()
        }
        missing = sum(bool(record.missing) for record in self.records)
        shown = ", ".join(f"{name} {shape}" for name, shape in shapes.items()) or "no arrays"
        return (
            f"<Features {self.feature.name!r} of {len(self)} clips: {shown}; {missing} without "
            f"{self.feature.modality}, {len(self.failures)} unreadable>"
        )

    def to_frame(self) -> pd.DataFrame:
        """One row per clip of a vector feature; one per clip and frame of any other.

        Returns
        -------
        pd.DataFrame
            ``clip``, ``speaker``, ``emotion``, ``missing`` (why there are no numbers), ``frame``
            (unless there is a vector per clip), and a column per number: the name of the array and
            the place in it, for instance ``statistics 0``.

        Raises
        ------
        FeatureError
            If the arrays of a clip differ in their number of frames, so that they are no table.
        """
        import pandas as pd

        is_vector = all(a.ndim == 1 for record in self.records for a in record.arrays.values())
        tables = []
        for clip, record in zip(self.clips, self.records, strict=True):
            blocks = {
                name: np.atleast_2d(array) if is_vector else array.reshape(len(array), -1)
                for name, array in record.arrays.items()
            }
            rows = {len(block) for block in blocks.values()} or {1}
            if len(rows) > 1:
                raise FeatureError(
                    f"The arrays of {self.feature.name!r} are no table: {', '.join(blocks)} have "
                    f"{', '.join(map(str, sorted(rows)))} rows. Take `records` instead."
                )
            (count,) = rows
            about = pd.DataFrame(
                {
                    "clip": clip.clip_id,
                    "speaker": clip.speaker,
                    "emotion": clip.emotion,
                    "missing": record.missing,
                    **({} if is_vector else {"frame": range(count)}),
                },
                index=range(count),
            )
            numbers = [
                pd.DataFrame(block, columns=[f"{name} {n}" for n in range(block.shape[1])])
                for name, block in blocks.items()
            ]
            tables.append(pd.concat([about, *numbers], axis=1))
        return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def extract(
    clips: Sequence[Clip], feature: Feature, store: FeatureStore, *, workers: int = 1
) -> Features:
    """Compute a feature of clips, or take it from the cache.

    Parameters
    ----------
    clips : sequence of Clip
    feature : Feature
    store : FeatureStore
    workers : int >= 1
        Processes.
    """
    prepared = store.prepare(clips, [feature], workers=workers)
    records = tuple(store.get(clip, feature) for clip in prepared.clips)
    return Features(feature, prepared.clips, records, prepared.failures)
