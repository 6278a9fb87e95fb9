"""`answer_corpus`: a trained recogniser on a corpus that it has never seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, class_recall
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.recognizer import Recognizer


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
    known = {key for clip in taught if (key := _sound_key(clip, store))}
    shared = [clip for clip in tested if _sound_key(clip, store) in known]
    if shared:
        raise SettingsError(
            f"{tested.label} at {tested.root} shares {len(shared)} sounds with {taught.label}, "
            f"which is learnt from, {shared[0].clip_id} for one: it would test nothing. Name a "
            "corpus of other people."
        )


def _sound_key(clip: Clip, store: FeatureStore) -> str:
    """Name of a sound's content; empty where there is none that can be read."""
    if clip.sound is None:
        return ""
    try:
        return store.file_key(clip.sound)
    except MediaError:
        return ""


def check_answerable(corpus: Corpus, adapt: str) -> None:
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


def answer_corpus(
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
    check_answerable(corpus, str(recognizer.card.get("adapt", "")))
    learnt = "no clip of this corpus"
    return answer_clips(recognizer, corpus, store, learnt=learnt, workers=workers, seed=seed)


def answer_clips(
    recognizer: Recognizer,
    corpus: Corpus,
    store: FeatureStore,
    *,
    learnt: str,
    workers: int = 1,
    seed: int = 0,
) -> Evaluation:
    """Test on the clips given.

    Emotions that only one side has stay: an answer outside the clips' emotions is a wrong one.

    Parameters
    ----------
    recognizer, store, workers, seed
        As for `answer_corpus`.
    corpus : Corpus
        Of labelled clips that nothing was learnt from.
    learnt : str
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
    return Evaluation(
        system=f"{recognizer.name} trained on {taught}",
        corpus=corpus.label,
        protocol=f"clean{words}: {learnt} was learnt from",
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
        alone = replace(evaluation, probabilities=rows, by_modality={})
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
