"""`label_shares`: the classes of labelled clips and how frequent each is."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from aver.corpora.clip import Clip
from aver.emotions import in_canonical_order
from aver.errors import LabelError


def label_shares(clips: Sequence[Clip]) -> tuple[tuple[str, ...], np.ndarray]:
    """Classes in canonical order, and the share of each.

    Parameters
    ----------
    clips : sequence of Clip
        Training clips.

    Returns
    -------
    tuple of str
    np.ndarray [shape=(classes,)]
        Sums to 1.

    Raises
    ------
    LabelError
        If a clip has no label, or there are fewer than two classes.

    Examples
    --------
    >>> label_shares([Clip("1", "a", "sad"), Clip("2", "a", "sad"), Clip("3", "a", "neutral")])
    (('neutral', 'sad'), array([0.33333333, 0.66666667]))
    """
    for clip in clips:
        if clip.emotion is None:
            raise LabelError(f"Clip {clip.clip_id!r} has no emotion; leave it out of training.")
    counts = Counter(clip.emotion for clip in clips if clip.emotion is not None)
    classes = in_canonical_order(counts)
    if len(classes) < 2:
        raise LabelError(
            f"The {len(clips)} training clips have {len(classes)} emotion "
            f"({', '.join(classes) or 'none'}); at least two are needed."
        )
    shares = np.array([counts[label] for label in classes], dtype=np.float64)
    return classes, shares / shares.sum()
