"""`equal_error_rate`: how well embeddings tell whether two clips are of one speaker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.errors import SettingsError


def equal_error_rate(embeddings: np.ndarray, speakers: Sequence[str]) -> float:
    """Share of errors where as many pairs of one speaker are refused as of two are accepted.

    All pairs of clips are compared by the cosine of their embeddings.

    Parameters
    ----------
    embeddings : np.ndarray [shape=(clips, size)]
    speakers : sequence of str
        Of each clip.

    Returns
    -------
    float in [0, 1]
        0.5 is chance.

    Raises
    ------
    SettingsError
        If there is no pair of one speaker, or none of two.

    Notes
    -----
    Source: Nagrani et al. 2017, "VoxCeleb: a large-scale speaker identification dataset",
    section 5.

    Examples
    --------
    >>> equal_error_rate(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]), ["a", "a", "b", "b"])
    0.0
    """
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    one, two = np.triu_indices(len(unit), k=1)
    likeness = (unit @ unit.T)[one, two]
    names = np.asarray(speakers)
    same = names[one] == names[two]
    if same.all() or not same.any():
        raise SettingsError("An equal error rate needs at least two speakers with two clips.")
    order = np.argsort(-likeness, kind="stable")
    accepted_wrongly = np.cumsum(~same[order]) / (~same).sum()
    refused_wrongly = 1 - np.cumsum(same[order]) / same.sum()
    place = int(np.argmin(np.abs(accepted_wrongly - refused_wrongly)))
    return float((accepted_wrongly[place] + refused_wrongly[place]) / 2)
