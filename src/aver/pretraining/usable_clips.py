"""`usable_clips`: what can be learnt from, and word of the rest before anything is learnt."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aver.corpora.clip import Clip
from aver.features.feature import Feature
from aver.features.store import Failure, FeatureStore, Preparation

Notice = Callable[[Sequence[Failure]], None]
"""Told of clips that cannot be used, before a training that may take hours; may raise."""


def usable_clips(
    store: FeatureStore,
    clips: Sequence[Clip],
    features: Sequence[Feature],
    *,
    workers: int = 1,
    notice: Notice | None = None,
) -> Preparation:
    """Compute features and tell of clips whose files cannot be read.

    Parameters
    ----------
    store : FeatureStore
    clips : sequence of Clip
    features : sequence of Feature
    workers : int >= 1
    notice : callable, optional
        Called with the failures, where there are any. What it raises ends the pretraining.
    """
    prepared = store.prepare(clips, features, workers=workers)
    if notice is not None and prepared.failures:
        notice(prepared.failures)
    return prepared
