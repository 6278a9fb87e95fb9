"""`TrainingDistance`: how far a clip is from the training clips of a recognizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from aver.models.layers.score_classifier import squared_distances

UNLIKE = "unlike the training data"
"""Flag of clips that are further from the training clips than nearly all validation clips."""

_QUANTILE = 0.99  # of the validation clips; one in a hundred clips of the same kind is flagged
_MAX_CLIPS = 1000  # training clips that are kept
_CLIP = 10.0  # spreads; a broken value must not hide all others
_MIN_SPREAD = 1e-6
_ROWS_AT_ONCE = 512  # limits the memory of distances


@dataclass(frozen=True)
class TrainingDistance:
    """Distance to the nearest training clip, of robustly standardized vectors.

    Parameters
    ----------
    center, spread : np.ndarray [shape=(inputs,)]
        Median, and interquartile range over 1.349, of the training clips.
    clips : np.ndarray [shape=(clips, inputs), dtype=float16, range=-10..10]
        Standardized training clips, at most 1,000, evenly chosen from all.
    limit : float > 0
        Distance of the validation clip at the 99th percentile.

    Notes
    -----
    Source: Sun et al. (ICML 2022), "Out-of-distribution detection with deep nearest neighbors",
    section 3.
    Differs from the paper: vectors are standardized value by value, not normalized to length 1,
    and the first neighbor counts, which `benchmarks/training_distance.py` found better than the
    5th or 10th.
    """

    center: np.ndarray
    spread: np.ndarray
    clips: np.ndarray
    limit: float

    @classmethod
    def fit(cls, train: np.ndarray, validation: np.ndarray) -> TrainingDistance:
        """Learn from vectors of training clips; the limit from those of validation clips.

        Parameters
        ----------
        train, validation : np.ndarray [shape=(clips, inputs)]
            Without validation clips the training clips set the limit, each without itself.
        """
        quartiles = np.percentile(train.astype(np.float64), (25, 50, 75), axis=0)
        spread = (quartiles[2] - quartiles[0]) / 1.349  # of a normal distribution: its std
        spread = np.where(spread > _MIN_SPREAD, spread, np.maximum(train.std(axis=0), _MIN_SPREAD))
        kept = np.linspace(0, len(train) - 1, min(len(train), _MAX_CLIPS)).round().astype(int)
        found = cls(quartiles[1], spread, np.zeros((0, train.shape[1]), np.float16), 1.0)
        found = replace(found, clips=found._standardize(train[kept]).astype(np.float16))
        if validation.size:
            distances = found._distances(validation)
        else:
            distances = found._distances(train[kept], rank=1)  # each without itself
        return replace(found, limit=max(float(np.quantile(distances, _QUANTILE)), _MIN_SPREAD))

    def ratios(self, vectors: np.ndarray) -> np.ndarray:
        """Distances over the limit: above 1 a clip is unlike the training data.

        Parameters
        ----------
        vectors : np.ndarray [shape=(clips, inputs)]

        Returns
        -------
        np.ndarray [shape=(clips,)]
            NaN for rows with NaN, and if no clip has a vector.
        """
        if vectors.size == 0:
            return np.full(len(vectors), np.nan)
        return self._distances(vectors) / self.limit

    def _standardize(self, vectors: np.ndarray) -> np.ndarray:
        return np.clip((vectors - self.center) / self.spread, -_CLIP, _CLIP)

    def _distances(self, vectors: np.ndarray, rank: int = 0) -> np.ndarray:
        """To the nearest of the clips that are kept; with rank 1 to the next one: (rows,)."""
        clips = self.clips.astype(np.float64)
        values = self._standardize(vectors)
        blocks = [
            np.partition(squared_distances(values[start : start + _ROWS_AT_ONCE], clips), rank)
            for start in range(0, len(values), _ROWS_AT_ONCE)
        ]
        return np.sqrt(np.concatenate(blocks)[:, rank])

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        return {
            "center": self.center,
            "spread": self.spread,
            "clips": self.clips,
            "limit": np.array(self.limit),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray]) -> TrainingDistance:
        """Rebuild what `arrays` gave.

        Raises
        ------
        KeyError
            If an array is missing.
        """
        center, spread = (np.asarray(arrays[name], np.float64) for name in ("center", "spread"))
        return cls(center, spread, arrays["clips"], float(arrays["limit"]))


_MIN_CLIPS = 20
_PREFIX = "distance/"


def learn_distances(
    train: Mapping[str, np.ndarray], validation: Mapping[str, np.ndarray]
) -> dict[str, TrainingDistance]:
    """By modality, if at least 20 training clips have it.

    Parameters
    ----------
    train, validation : mapping of str to np.ndarray [shape=(clips, n)]
        By modality; rows of NaN for clips without it.
    """
    known = {
        name: [rows[np.isfinite(rows).all(axis=1)] for rows in (vectors, validation[name])]
        for name, vectors in train.items()
    }
    return {
        name: TrainingDistance.fit(*rows)
        for name, rows in known.items()
        if len(rows[0]) >= _MIN_CLIPS
    }


def distance_arrays(distances: Mapping[str, TrainingDistance]) -> dict[str, np.ndarray]:
    """All distances as arrays of a checkpoint."""
    return {
        f"{_PREFIX}{modality}/{name}": array
        for modality, one in distances.items()
        for name, array in one.arrays().items()
    }


def take_distances(weights: dict[str, np.ndarray]) -> dict[str, TrainingDistance]:
    """Remove what `distance_arrays` gave from the arrays of a checkpoint; version 0.1 had none."""
    groups: dict[str, dict[str, np.ndarray]] = {}
    for name in [name for name in weights if name.startswith(_PREFIX)]:
        _, modality, array = name.split("/")
        groups.setdefault(modality, {})[array] = weights.pop(name)
    return {name: TrainingDistance.from_arrays(arrays) for name, arrays in groups.items()}


_MAX_VALUES = 256


def mean_vector(arrays: Mapping[str, np.ndarray]) -> np.ndarray | None:
    """A vector of at most 256 values from the arrays of a feature: means over time and blocks.

    Parameters
    ----------
    arrays : mapping of str to np.ndarray
        The largest one counts; of arrays with two or more axes the first is time.

    Returns
    -------
    np.ndarray [shape=(n,)] or None
        None without arrays, or if a value is not finite.

    Examples
    --------
    >>> mean_vector({"units": np.array([[1.0, 5.0], [3.0, 7.0]])}).tolist()
    [2.0, 6.0]
    """
    if not arrays:
        return None
    largest = max(arrays.values(), key=lambda array: array.size).astype(np.float64)
    values = largest if largest.ndim == 1 else largest.mean(axis=0).ravel()
    if len(values) > _MAX_VALUES:
        values = np.array([block.mean() for block in np.array_split(values, _MAX_VALUES)])
    return values if np.isfinite(values).all() else None


def rows_of(vectors: Sequence[np.ndarray | None]) -> np.ndarray:
    """Vectors as rows, with rows of NaN for those that are None or of another length.

    Parameters
    ----------
    vectors : sequence of np.ndarray or None

    Returns
    -------
    np.ndarray [shape=(vectors, n)]
        `n` is the most frequent length.
    """
    lengths = Counter(len(vector) for vector in vectors if vector is not None)
    width = lengths.most_common(1)[0][0] if lengths else 0
    rows = np.full((len(vectors), width), np.nan)
    for row, vector in zip(rows, vectors, strict=True):
        if vector is not None and len(vector) == width:
            row[:] = vector
    return rows


def unlike(modality: str) -> str:
    """The flag for one modality.

    Examples
    --------
    >>> unlike("audio")
    'audio unlike the training data'
    """
    return f"{modality} {UNLIKE}"
