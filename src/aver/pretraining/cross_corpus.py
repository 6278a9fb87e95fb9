"""Tests of a trained recognizer on speakers and corpora that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.corpora.reconcile import relabel
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SettingsError
from aver.evaluation.combine import FoldPredictions, concatenate_folds
from aver.evaluation.cross_corpus import check_apart
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, class_recall
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.base.recognizer import Recognizer
from aver.pretraining.unpaired import UnpairedRequest


def check_unseen(corpus: Corpus, trained_on: Sequence[str]) -> None:
    """Raise SettingsError if a test corpus is among the training corpora, by label."""
    if corpus.label in trained_on:
        raise SettingsError(
            f"{corpus.label} cannot test a recognizer that is trained on {', '.join(trained_on)}. "
            "Use a corpus that it is not trained on."
        )


def check_audio_apart(trained: Corpus, tested: Corpus, store: FeatureStore) -> None:
    """Raise SettingsError if two corpora share audio, compared by content.

    Unreadable files are ignored.

    Parameters
    ----------
    trained, tested : Corpus
    store : FeatureStore
        Remembers the hashes of files.
    """
    check_apart(
        {
            f"the {use} corpus {corpus.label}": {
                clip.clip_id: [_audio_key(clip, store)] for clip in corpus
            }
            for use, corpus in (("training", trained), ("test", tested))
        }
    )


def _audio_key(clip: Clip, store: FeatureStore) -> str:
    """Hash of the audio of a clip; empty if there is none or it cannot be read."""
    if clip.audio is None:
        return ""
    try:
        return store.file_key(clip.audio)
    except MediaError:
        return ""


def check_predictable(corpus: Corpus, adapt: str) -> None:
    """Raise LabelError if a clip of a test corpus lacks its emotion, or the speaker to adapt to.

    Parameters
    ----------
    corpus : Corpus
    adapt : {"", "speaker"}
        The adaptation of the recognizer.
    """
    for clip in corpus:
        if clip.emotion is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no emotion to compare with. Name "
                "emotions in the pattern or table."
            )
        if adapt and clip.speaker is None:
            raise LabelError(
                f"Clip {clip.clip_id} of {corpus.label} has no speaker to adapt to. Name speakers "
                "in the pattern or table, or leave --adapt out."
            )


def predict_corpus(
    recognizer: Recognizer, corpus: Corpus, store: FeatureStore, *, workers: int = 1, seed: int = 0
) -> Evaluation:
    """Test on every clip of another corpus, none of which was used in the training.

    Parameters
    ----------
    recognizer : Recognizer
        If its card states speaker adaptation, features are adapted to the speakers of the corpus,
        without labels.
    corpus : Corpus
        With emotions.
    store : FeatureStore
    workers, seed : int
        The seed is that of the training; it is only recorded.

    Raises
    ------
    SettingsError
        If the card of the recognizer lists this corpus as training data.
    LabelError
        If a clip has no emotion, or no speaker although the recognizer adapts to speakers.
    """
    check_unseen(corpus, recognizer.card.get("trained_on", []))
    check_predictable(corpus, str(recognizer.card.get("adapt", "")))
    trained = "no clip of this corpus"
    return predict_clips_of(recognizer, corpus, store, trained=trained, workers=workers, seed=seed)


def predict_clips_of(
    recognizer: Recognizer,
    corpus: Corpus,
    store: FeatureStore,
    *,
    trained: str,
    workers: int = 1,
    seed: int = 0,
) -> Evaluation:
    """Test on the clips of a corpus.

    The classes are those of the recognizer and of the corpus together: a prediction that is no
    emotion of the corpus is wrong.

    Parameters
    ----------
    recognizer, store, workers, seed
        As for `predict_corpus`.
    corpus : Corpus
        Of clips with emotions that were not used in the training.
    trained : str
        What the recognizer was trained on, for the protocol: ``"no clip of these speakers"``.

    Raises
    ------
    MediaError
        If no clip can be used.
    """
    prepared = store.prepare(corpus.clips, list(recognizer.features.values()), workers=workers)
    if not prepared.clips:
        reason = f", {prepared.failures[0].reason}" if prepared.failures else ""
        raise MediaError(
            f"None of the {len(corpus)} test clips of {corpus.label} can be used{reason}"
        )
    adapted = bool(recognizer.card.get("adapt"))
    source = SpeakerAdaptation(store, prepared.clips) if adapted else store
    unlabeled = [clip.without_labels() for clip in prepared.clips]
    prediction = recognizer.with_features_from(source).predict_all(unlabeled)
    classes = in_canonical_order({*recognizer.classes, *corpus.classes})

    adaptation = f", {ADAPTED}" if adapted else ""
    return Evaluation(
        system=f"{recognizer.name} trained on {', '.join(recognizer.card.get('trained_on', []))}",
        corpus=corpus.label,
        protocol=f"clean{adaptation}: trained on {trained}",
        classes=classes,
        **concatenate_folds([FoldPredictions(prepared.clips, prediction, seed=seed)], classes),
        facts={
            **({"adapt": "speaker", "adaptation": ADAPTED} if adapted else {}),
            "unusable_clips": {f.clip.clip_id: f.reason for f in prepared.failures},
        },
    )


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """Accuracy with its interval, and recall per class: fused, and of each modality alone.

    A clip without a modality counts as wrong for that modality; a modality that no clip has is left
    out.

    Returns
    -------
    dict
        ``clips``, ``speakers``, ``protocol`` and, under ``fused`` and the name of each modality,
        ``accuracy``, ``low``, ``high`` and ``recall``.
    """
    classes = evaluation.classes
    present = [name for name in classes if name in evaluation.truth]
    wrong_classes = [(classes.index(name) + 1) % len(classes) for name in evaluation.truth]
    wrong = np.eye(len(classes))[wrong_classes]
    figures: dict[str, Any] = {
        "clips": len(evaluation.clip_ids),
        "speakers": len(set(evaluation.speakers)),
        "protocol": evaluation.protocol,
    }
    for name, values in {"fused": evaluation.probabilities, **evaluation.by_modality}.items():
        missing = np.isnan(values).any(axis=1)
        if missing.all():
            continue
        alone = evaluation.with_predictions(np.where(missing[:, None], wrong, values))
        share = interval(accuracy(alone))
        figures[name] = {
            "accuracy": share.value,
            "low": share.low,
            "high": share.high,
            "recall": {
                emotion: interval(class_recall(alone, emotion)).value for emotion in present
            },
        }
    return figures


def describe_figures(figures: Mapping[str, Any]) -> str:
    """One line for the fused predictions and one for each modality."""
    lines = []
    for name, one in figures.items():
        if not isinstance(one, Mapping):
            continue
        bounds = "" if one["low"] is None else f" [{one['low']:.1%}, {one['high']:.1%}]"
        recalls = ", ".join(f"{emotion} {value:.0%}" for emotion, value in one["recall"].items())
        lines.append(f"{name}: {one['accuracy']:.1%}{bounds}; recall {recalls}")
    return "\n".join(lines)


TESTS = "tests"


def unseen_voices(request: UnpairedRequest) -> Corpus:
    """The clips of the test speakers, with merged emotions and without dropped ones."""
    test = set(request.voice_split.folds[0].test)
    clips = [clip for clip in request.voices if clip.clip_id in test]
    return replace(request.voices, clips=relabel(clips, request.merge, request.drop))


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
    """Test once on the voices of unseen speakers, if any, and on another corpus if one is given.

    Parameters
    ----------
    recognizer : Recognizer
        From `aver.pretraining.unpaired.train_unpaired`.
    request : UnpairedRequest
    out : Path
        Its run folder; predictions are kept below ``tests/`` and not computed again.
    store : FeatureStore
    other : Corpus, optional
        The training used none of its clips.
    seed, workers : int

    Returns
    -------
    dict of str to Evaluation
        By the label of the corpus.
    """

    def predict_voices(corpus: Corpus) -> Evaluation:
        trained = "no clip of these speakers"
        return predict_clips_of(
            recognizer, corpus, store, trained=trained, workers=workers, seed=seed
        )

    def predict_other(corpus: Corpus) -> Evaluation:
        return predict_corpus(recognizer, corpus, store, workers=workers, seed=seed)

    unseen = unseen_voices(request)
    tests = [(unseen, predict_voices)] if len(unseen) else []
    if other is not None:
        tests.append((other, predict_other))
    evaluations = {}
    for corpus, predict in tests:
        folder = out / TESTS / corpus.label
        if not (folder / "evaluation.json").exists():
            save_evaluation(predict(corpus), folder)
        evaluations[corpus.label] = load_evaluation(folder)
    return evaluations
