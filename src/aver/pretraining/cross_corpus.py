"""`score_unpaired`: what a recogniser from unpaired corpora says to people that it never met."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, class_recall
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.base.recognizer import Recognizer
from aver.pretraining.unpaired import UnpairedRequest


def check_unseen(corpus: Corpus, learnt_from: Sequence[str]) -> None:
    """Raise SettingsError if a corpus is among those that a recogniser learns from."""
    if corpus.label in learnt_from:
        raise SettingsError(
            f"A recogniser that learns from {', '.join(learnt_from)} would not be tested by "
            f"{corpus.label}. Test it on a corpus that it has never seen."
        )


def check_apart(taught: Corpus, tested: Corpus, store: FeatureStore) -> None:
    """Raise SettingsError if two corpora share a sound, under whatever names.

    Files that cannot be read are passed over.

    Parameters
    ----------
    taught, tested : Corpus
    store : FeatureStore
        Remembers what files hold.
    """
    known = {key for clip in taught if (key := _audio_key(clip, store))}
    shared = [clip for clip in tested if _audio_key(clip, store) in known]
    if shared:
        raise SettingsError(
            f"{tested.label} at {tested.root} shares {len(shared)} sounds with {taught.label}, "
            f"which is learnt from, {shared[0].clip_id} for one: it would test nothing. Name a "
            "corpus of other people."
        )


def _audio_key(clip: Clip, store: FeatureStore) -> str:
    """Name of a sound's content; empty where there is none that can be read."""
    if clip.audio is None:
        return ""
    try:
        return store.file_key(clip.audio)
    except MediaError:
        return ""


def check_predictable(corpus: Corpus, adapt: str) -> None:
    """Raise LabelError if answers for a corpus could not be judged, or not be adapted.

    Parameters
    ----------
    corpus : Corpus
        To test on.
    adapt : str
        Of the recogniser: empty, or ``"speaker"``.
    """
    for clip in corpus:
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no emotion, so that no answer for it "
                "can be called right. Name emotions in the pattern or table."
            )
        if adapt and clip.speaker is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no speaker to adapt to. Name speakers "
                "in the pattern or table, or do without --adapt."
            )


def predict_corpus(
    recognizer: Recognizer, corpus: Corpus, store: FeatureStore, *, workers: int = 1, seed: int = 0
) -> Evaluation:
    """Test on every clip of another corpus; nothing is learnt from it.

    Parameters
    ----------
    recognizer : Recognizer
        Where its card says that it was trained with speaker adaptation, features are adapted to
        the corpus's speakers, without labels.
    corpus : Corpus
        Labelled.
    store : FeatureStore
    workers, seed : int
        The seed is that of the training, for the record.

    Raises
    ------
    SettingsError
        If the recogniser's card says that it learnt from this corpus.
    LabelError
        If a clip has no emotion, or no speaker where the recogniser adapts to speakers.
    """
    check_unseen(corpus, recognizer.card.get("trained_on", []))
    check_predictable(corpus, str(recognizer.card.get("adapt", "")))
    learned = "no clip of this corpus"
    return predict_clips_of(recognizer, corpus, store, learned=learned, workers=workers, seed=seed)


def predict_clips_of(
    recognizer: Recognizer,
    corpus: Corpus,
    store: FeatureStore,
    *,
    learned: str,
    workers: int = 1,
    seed: int = 0,
) -> Evaluation:
    """Test on the clips given.

    Emotions that only one side has stay: an answer outside the clips' emotions is a wrong one.

    Parameters
    ----------
    recognizer, store, workers, seed
        As for `predict_corpus`.
    corpus : Corpus
        Of labelled clips that nothing was learnt from.
    learned : str
        What of them was learnt from, for the protocol: ``"no clip of these speakers"``.

    Raises
    ------
    MediaError
        If no clip can be used.
    """
    prepared = store.prepare(corpus.clips, list(recognizer.features.values()), workers=workers)
    if not prepared.clips:
        why = f", {prepared.failures[0].reason}" if prepared.failures else ""
        raise MediaError(
            f"None of the {len(corpus)} clips of {corpus.label} to test on can be used{why}"
        )
    adapted = bool(recognizer.card.get("adapt"))
    recognizer.take_features_from(SpeakerAdaptation(store, prepared.clips) if adapted else store)
    said = recognizer.predict([clip.without_labels() for clip in prepared.clips])
    classes = in_canonical_order({*recognizer.classes, *corpus.classes})

    def columns(values: np.ndarray) -> np.ndarray:
        rows = np.zeros((len(values), len(classes)))
        rows[:, [classes.index(name) for name in said.classes]] = values
        rows[np.isnan(values).any(axis=1)] = np.nan
        return rows

    words = f", {ADAPTED}" if adapted else ""
    taught = ", ".join(recognizer.card.get("trained_on", []))
    return Evaluation.from_arrays(
        system=f"{recognizer.name} trained on {taught}",
        corpus=corpus.label,
        protocol=f"clean{words}: {learned} was learnt from",
        classes=classes,
        clip_ids=tuple(clip.clip_id for clip in prepared.clips),
        speakers=tuple(clip.speaker or clip.clip_id for clip in prepared.clips),
        sexes=tuple(clip.sex for clip in prepared.clips),
        folds=np.zeros(len(prepared.clips)),
        seeds=np.full(len(prepared.clips), seed),
        truth=tuple(str(clip.emotion) for clip in prepared.clips),
        probabilities=columns(said.probabilities),
        by_modality={name: columns(values) for name, values in said.by_modality.items()},
        flags=said.flags,
        facts={
            **({"adapt": "speaker", "adaptation": ADAPTED} if adapted else {}),
            "unusable_clips": {f.clip.clip_id: f.reason for f in prepared.failures},
        },
    )


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """Accuracy with its interval and recall per class: fused, and of each modality alone.

    A clip that a modality cannot answer counts as wrong there; a modality that no clip has is left
    out.

    Returns
    -------
    dict
        ``clips``, ``speakers``, ``protocol`` and, under ``fused`` and the name of each modality,
        ``accuracy``, ``low``, ``high`` and ``recall``.
    """
    said = {"fused": evaluation.probabilities, **evaluation.by_modality}
    present = [name for name in evaluation.classes if name in evaluation.truth]
    known = [evaluation.classes.index(word) for word in evaluation.truth]
    wrong = np.eye(len(evaluation.classes))[[(row + 1) % len(evaluation.classes) for row in known]]
    found: dict[str, Any] = {
        "clips": len(evaluation.clip_ids),
        "speakers": len(set(evaluation.speakers)),
        "protocol": evaluation.protocol,
    }
    for name, values in said.items():
        silent = np.isnan(values).any(axis=1)
        if silent.all():
            continue
        rows = np.where(silent[:, None], wrong, values)
        alone = evaluation.with_predictions(rows)
        share = interval(accuracy(alone))
        found[name] = {
            "accuracy": share.value,
            "low": share.low,
            "high": share.high,
            "recall": {word: interval(class_recall(alone, word)).value for word in present},
        }
    return found


def describe_figures(figures: Mapping[str, Any]) -> str:
    """One line for the fused answers and one for each modality."""
    lines = []
    for name, one in figures.items():
        if not isinstance(one, Mapping):
            continue
        spread = "" if one["low"] is None else f" [{one['low']:.1%}, {one['high']:.1%}]"
        told = ", ".join(f"{word} {value:.0%}" for word, value in one["recall"].items())
        lines.append(f"{name}: {one['accuracy']:.1%}{spread}; recall {told}")
    return "\n".join(lines)


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
        said = predict_clips_of(
            recognizer,
            voices,
            store,
            learned="no clip of these speakers",
            workers=workers,
            seed=seed,
        )
        save_evaluation(said, place)
    found[voices.label] = load_evaluation(place)
    if other is not None:
        place = out / TESTS / other.label
        if not (place / "evaluation.json").exists():
            said = predict_corpus(recognizer, other, store, workers=workers, seed=seed)
            save_evaluation(said, place)
        found[other.label] = load_evaluation(place)
    return found
