"""`score_unpaired`: what a recogniser from unpaired corpora says to people that it never met."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from aver.corpora.corpus import Corpus
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.features.store import FeatureStore
from aver.models.recognizer import Recognizer
from aver.pretraining.answer_corpus import answer_clips, answer_corpus
from aver.pretraining.unpaired import UnpairedRequest

TESTS = "tests"


def unseen_voices(request: UnpairedRequest) -> Corpus:
    """The voices of the split's test speakers, with merged labels and without dropped ones."""
    merge = dict(request.merge or {})
    test = set(request.voice_split.folds[0].test)
    clips = (
        replace(clip, emotion=merge.get(str(clip.emotion), clip.emotion))
        for clip in request.voices
        if clip.clip_id in test
    )
    return replace(request.voices, clips=tuple(c for c in clips if c.emotion not in request.drop))


def score_unpaired(
    recognizer: Recognizer,
    request: UnpairedRequest,
    out: Path,
    store: FeatureStore,
    *,
    other: Corpus | None = None,
    seed: int = 0,
    workers: int = 1,
) -> dict[str, Evaluation]:
    """Test once on the voices of unseen speakers, and on another corpus where one is given.

    Parameters
    ----------
    recognizer : Recognizer
        As `aver.pretraining.unpaired.train_unpaired` gives it.
    request : UnpairedRequest
    out : Path
        Its run folder; answers are kept below ``tests/`` and not given twice.
    store : FeatureStore
    other : Corpus, optional
        Nothing was learnt from it.
    seed, workers : int

    Returns
    -------
    dict of str to Evaluation
        By the corpus's name.
    """
    found = {}
    voices = unseen_voices(request)
    place = out / TESTS / voices.label
    if not (place / "evaluation.json").exists():
        said = answer_clips(
            recognizer,
            voices,
            store,
            learnt="no clip of these speakers",
            workers=workers,
            seed=seed,
        )
        save_evaluation(said, place)
    found[voices.label] = load_evaluation(place)
    if other is not None:
        place = out / TESTS / other.label
        if not (place / "evaluation.json").exists():
            said = answer_corpus(recognizer, other, store, workers=workers, seed=seed)
            save_evaluation(said, place)
        found[other.label] = load_evaluation(place)
    return found
