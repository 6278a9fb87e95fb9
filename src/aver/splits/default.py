"""The split that is taken where nobody names one."""

from __future__ import annotations

from aver.corpora.corpus import Corpus
from aver.splits.rule import make_split
from aver.splits.split import Split

_SPEAKERS_FOR_FOLDS = 10  # below, a fold per speaker leaves more speech to learn from


def default_split(corpus: Corpus, seed: int = 0) -> Split:
    """Five speaker-disjoint folds from ten speakers on, else one fold per speaker.

    Parameters
    ----------
    corpus : Corpus
    seed : int

    Returns
    -------
    Split
        Clean: speakers of training, validation and test are disjoint.

    Raises
    ------
    SplitError, LabelError
        If the corpus does not allow it, with one speaker or one class for instance.
    """
    if len(corpus.speakers) >= _SPEAKERS_FOR_FOLDS:
        return make_split(corpus, "speaker-kfold", folds=5, seed=seed)
    return make_split(corpus, "leave-one-speaker-out", seed=seed)
