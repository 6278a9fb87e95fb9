"""`equal_error_rate`: how well embeddings tell whether two clips are of one speaker."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.errors import SettingsError


def equal_error_rate(embeddings: np.ndarray, speakers: Sequence[str]) -> float:
    """Share of errors where as many pairs of one speaker are refused as of two are accepted.

    All pairs of clips are compared by the cosine of their embeddings; between two thresholds that
    the pairs tell apart the rate is interpolated, so that embeddings that are all alike give 0.5.

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
        If there is no pair of one speaker, or none of two; or if an embedding is not finite.

    Notes
    -----
    Source: Nagrani et al. 2017, "VoxCeleb: a large-scale speaker identification dataset",
    section 5.

    Examples
    --------
    >>> equal_error_rate(np.array([[1, 0], [1, 0.1], [0, 1], [0.1, 1]]), ["a", "a", "b", "b"])
    0.0
    """
    from sklearn.metrics import roc_curve

    if not np.isfinite(embeddings).all():
        raise SettingsError("An equal error rate needs embeddings without NaN or infinity.")
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    one, two = np.triu_indices(len(unit), k=1)
    likeness = np.round((unit @ unit.T)[one, two], 6)  # equal pairs differ in their last digits
    names = np.asarray(speakers)
    same = names[one] == names[two]
    if same.all() or not same.any():
        raise SettingsError("An equal error rate needs at least two speakers with two clips.")
    accepted_wrongly, accepted_rightly, _ = roc_curve(same, likeness, drop_intermediate=False)
    excess = accepted_wrongly - (1 - accepted_rightly)  # rises from -1 to 1
    after = int(np.argmax(excess >= 0))
    share = -excess[after - 1] / (excess[after] - excess[after - 1])
    before, behind = accepted_wrongly[after - 1], accepted_wrongly[after]
    return float(before + share * (behind - before))
