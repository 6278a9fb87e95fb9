"""`answer_corpus`: a trained recogniser on a corpus that it has never seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import SettingsError
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


def answer_corpus(
    recognizer: Recognizer, corpus: Corpus, store: FeatureStore, *, workers: int = 1, seed: int = 0
) -> Evaluation:
    """Test on every clip of another corpus; nothing is learnt from it.

    Emotions that only one side has stay: an answer outside the corpus's emotions is a wrong one.

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
    """
    learnt_from = recognizer.card.get("trained_on", [])
    check_unseen(corpus, learnt_from)
    prepared = store.prepare(corpus.clips, list(recognizer.features.values()), workers=workers)
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
    return Evaluation(
        system=f"{recognizer.name} trained on {', '.join(learnt_from)}",
        corpus=corpus.label,
        protocol=f"clean{words}: no clip of this corpus was learnt from",
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


def describe_answers(evaluation: Evaluation) -> str:
    """Accuracy with its interval and recall per class: fused, and of each modality alone.

    A clip that a modality cannot answer counts as wrong there.
    """
    said = {"fused": evaluation.probabilities, **evaluation.by_modality}
    present = [name for name in evaluation.classes if name in evaluation.truth]
    lines = []
    for name, values in said.items():
        silent = np.isnan(values).any(axis=1)
        wrong = np.eye(len(evaluation.classes))[
            [(evaluation.classes.index(word) + 1) % len(evaluation.classes)
             for word in evaluation.truth]
        ]  # fmt: skip
        rows = np.where(silent[:, None], wrong, values)
        found = replace(evaluation, probabilities=rows, by_modality={})
        share = interval(accuracy(found))
        spread = "" if share.low is None else f" [{share.low:.1%}, {share.high:.1%}]"
        recalls = {word: interval(class_recall(found, word)).value for word in present}
        told = ", ".join(f"{word} {value:.0%}" for word, value in recalls.items())
        lines.append(f"{name}: {share.value:.1%}{spread}; recall {told}")
    return "\n".join(lines)
