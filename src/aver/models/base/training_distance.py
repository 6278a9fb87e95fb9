"""`TrainingDistance`: how far a clip is from the training clips of a recognizer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

UNLIKE = "unlike the training data"
"""Flag of clips that are further from the training clips than nearly all validation clips."""

_QUANTILE = 0.99  # of the validation clips; one in a hundred clips of the same kind is flagged
_MAX_AXES = 64
_CLIPS_PER_AXIS = 10  # fewer give axes by chance
_CLIP = 10.0  # spreads; a broken value must not hide all others
_MIN_SPREAD = 1e-6


@dataclass(frozen=True)
class TrainingDistance:
    """Mahalanobis distance on the principal axes of robustly standardized vectors.

    Parameters
    ----------
    center, spread : np.ndarray [shape=(inputs,)]
        Median, and interquartile range over 1.349, of the training clips.
    axes : np.ndarray [shape=(inputs, axes)]
        Principal axes, each divided by the standard deviation along it; the last column of the
        distance is what they leave out.
    rest : float > 0
        Root mean square of what the axes leave out, over the training clips; infinite if they leave
        out nothing.
    limit : float > 0
        Distance of the validation clip at the 99th percentile.

    Notes
    -----
    Source: Lee et al. (NeurIPS 2018), "A simple unified framework for detecting out-of-distribution
    samples and adversarial attacks", section 2.1, without classes; the residual as in Wang et al.
    (CVPR 2022), "ViM: out-of-distribution with virtual-logit matching", section 4.1.
    """

    center: np.ndarray
    spread: np.ndarray
    axes: np.ndarray
    rest: float
    limit: float

    @classmethod
    def fit(cls, train: np.ndarray, validation: np.ndarray) -> TrainingDistance:
        """Learn from vectors of training clips; the limit from those of validation clips.

        Parameters
        ----------
        train, validation : np.ndarray [shape=(clips, inputs)]
            Without validation clips the training clips set the limit.
        """
        quartiles = np.percentile(train.astype(np.float64), (25, 50, 75), axis=0)
        spread = (quartiles[2] - quartiles[0]) / 1.349  # of a normal distribution: its std
        spread = np.where(spread > _MIN_SPREAD, spread, np.maximum(train.std(axis=0), _MIN_SPREAD))
        values = np.clip((train - quartiles[1]) / spread, -_CLIP, _CLIP)
        count = max(1, min(_MAX_AXES, len(train) // _CLIPS_PER_AXIS, train.shape[1]))
        _, lengths, rows = np.linalg.svd(values, full_matrices=False)
        std = np.maximum(lengths[:count] / np.sqrt(len(values)), _MIN_SPREAD)
        axes = np.ascontiguousarray(rows[:count].T / std)
        left = np.square(values).sum(axis=1) - np.square(values @ axes * std).sum(axis=1)
        complete = count == train.shape[1]  # nothing is left out but rounding errors
        rest = np.inf if complete else float(np.sqrt(np.maximum(left, 0).mean()))
        found = cls(quartiles[1], spread, axes, max(rest, _MIN_SPREAD), 1.0)
        measured = found.ratios(validation if len(validation) else train)
        limit = float(np.quantile(measured, _QUANTILE))
        return cls(found.center, found.spread, found.axes, found.rest, max(limit, _MIN_SPREAD))

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
        values = np.clip((vectors - self.center) / self.spread, -_CLIP, _CLIP)
        # einsum, so that a clip's distance does not depend on the other clips
        along = np.einsum("ci,ia->ca", values, self.axes)
        std = 1 / np.sqrt(np.square(self.axes).sum(axis=0))
        left = np.square(values).sum(axis=1) - np.square(along * std).sum(axis=1)
        rest = np.maximum(left, 0) / self.rest**2
        total = np.square(along).sum(axis=1) + rest
        return np.sqrt(total / (self.axes.shape[1] + 1)) / self.limit

    def arrays(self) -> dict[str, np.ndarray]:
        """Everything as arrays, for a checkpoint."""
        return {
            "center": self.center,
            "spread": self.spread,
            "axes": self.axes,
            "rest": np.array(self.rest),
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
        center, spread, axes = (
            np.asarray(arrays[name], np.float64) for name in ("center", "spread", "axes")
        )
        return cls(center, spread, axes, float(arrays["rest"]), float(arrays["limit"]))


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
