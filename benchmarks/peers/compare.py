"""aver's shipped recognizers beside face networks from PyPI, on javanese-av.

    python benchmarks/peers/compare.py --data DIR --frames FOLDER [--actors 03 04 08 09]

FOLDER is that of `frames.py`, in which `peer_predict.py` has written its predictions. All systems
are restricted to the six emotions of the corpus: other emotions are dropped and the probabilities
scaled to sum to 1. The last column is the accuracy without this restriction, where a prediction of
disgust is wrong. No system was trained on the corpus. Prints one table and writes
``docs/results/peers/javanese-av.json``.
"""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from frames import ACTORS, FRAMES, javanese, load_face_frames, read_face_frames

from aver.api import load
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus
from aver.emotions import in_canonical_order
from aver.errors import AverError, SettingsError
from aver.evaluation.calibration import calibration_error
from aver.evaluation.combine import FoldPredictions, concatenate_folds
from aver.evaluation.evaluation import CLIP_COLUMNS, Evaluation
from aver.evaluation.metrics import accuracy, unweighted_recall
from aver.evaluation.paired import PairedComparison
from aver.evaluation.paired import compare as compare_pair
from aver.evaluation.summary import interval_of_metric
from aver.execution.files import write_json
from aver.features.face_crops import FaceCrops
from aver.features.feature import DerivedFeature, Feature, FeatureRecord
from aver.features.store import FeatureStore
from aver.media.boxes import cut_square, squared
from aver.models.base.checkpoint import DEFAULT, DEFAULT_ADAPTED, find_checkpoint
from aver.models.base.prediction import Prediction, probability_columns
from aver.models.base.recognizer import Recognizer
from aver.networks.shipped import WEIGHTS_NAME, find_shipped
from aver.pretraining.cross_corpus import predict_corpus
from aver.reports.table import Estimate, Table, as_json, as_text
from aver.version import __version__

RESULT = Path(__file__).resolve().parents[2] / "docs" / "results" / "peers" / "javanese-av.json"
_INPUTS = {"audio": "voice", "video": "faces"}
_SAME_FRAMES, _FUSED = f"faces, {FRAMES} frames", "fused"
_OWN = "aver "


@dataclass(frozen=True)
class Entry:
    """One row of the table.

    Parameters
    ----------
    system : str
        ``"aver faces-voices"``, ``"fer 25.10.3"``.
    reads : str
        What the system sees of a clip.
    evaluation : Evaluation
        With all emotions that the system predicts.
    """

    system: str
    reads: str
    evaluation: Evaluation

    @property
    def is_own(self) -> bool:
        """Whether the system is a recognizer of aver."""
        return self.system.startswith(_OWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with javanese-av")
    parser.add_argument("--frames", type=Path, required=True, help="folder that frames.py wrote")
    parser.add_argument("--actors", nargs="+", default=list(ACTORS))
    parser.add_argument("--weights", type=Path, help=f"recognizer (default: {DEFAULT})")
    parser.add_argument(
        "--adapted-weights", type=Path, help=f"adapted recognizer (default: {DEFAULT_ADAPTED})"
    )
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    try:
        every = javanese(arguments.data, arguments.actors)
        peers = peer_entries(arguments.frames, every)
        corpus = on_clips_of(peers, every)
        plain = checkpoint_folder(arguments.weights, DEFAULT)
        adapted = checkpoint_folder(arguments.adapted_weights, DEFAULT_ADAPTED)
        store = FeatureStore()
        entries = [
            *peers,
            *same_frames_entry(plain, corpus, arguments.frames, store),
            *own_entries(plain, corpus, store),
            *own_entries(adapted, corpus, store),
        ]
        entries = [replace(one, evaluation=_on_clips(one, corpus)) for one in entries]
        differences = differences_to(entries, corpus.classes)
    except AverError as error:
        parser.error(str(error))
    table = table_of(entries, corpus, differences)
    print(as_text(table))
    facts = {
        "corpus": corpus.label,
        "actors": list(corpus.speakers),
        "clips": len(corpus),
        "clips_left_out": len(every) - len(corpus),
        "emotions": list(corpus.classes),
        "aver": __version__,
        "weights": [weights_facts(one) for one in (plain, adapted)],
        "differences": [difference_facts(one) for one in differences],
    }
    write_json(arguments.out, {**as_json(table), **facts})
    print(arguments.out)


# Peers.


def peer_entries(folder: Path, corpus: Corpus) -> list[Entry]:
    """One entry for each file of `peer_predict.py`, on the clips of the corpus.

    Raises
    ------
    SettingsError
        If there is no file, one lacks a column, or holds none of the clips.
    """
    read_face_frames(folder)
    files = sorted((folder / "predictions").glob("*.csv"))
    if not files:
        raise SettingsError(
            f"There are no predictions in {folder}. Run peer_predict.py on this folder first."
        )
    entries = []
    for file in files:
        table = pd.read_csv(file, dtype={"clip_id": str})
        columns = [name for name in table if name.startswith("p ")]
        if not columns or not {"clip_id", "system"} <= set(table):
            raise SettingsError(f"{file} is not a table that peer_predict.py has written.")
        table = table[table["clip_id"].isin([clip.clip_id for clip in corpus])]
        if table.empty:
            raise SettingsError(
                f"{file} has no clip of the actors {', '.join(corpus.speakers)}. Write their "
                "frames with frames.py --actors, and predict them."
            )
        classes = tuple(name.removeprefix("p ") for name in columns)
        prediction = Prediction(
            clip_ids=tuple(table["clip_id"]),
            classes=classes,
            probabilities=table[columns].to_numpy(np.float64),
        )
        system = str(table["system"].iloc[0])
        evaluation = evaluation_of(prediction, corpus, system)
        entries.append(Entry(system, _SAME_FRAMES, evaluation))
    return entries


def on_clips_of(entries: Sequence[Entry], corpus: Corpus) -> Corpus:
    """The corpus without the clips that some entry lacks, such as clips without a face."""
    shared = set.intersection(*(set(one.evaluation.clip_ids) for one in entries))
    return corpus.where(lambda clip: clip.clip_id in shared, "the peers predicted none of them")


def _on_clips(entry: Entry, corpus: Corpus) -> Evaluation:
    wanted = [clip.clip_id for clip in corpus]
    return entry.evaluation.rows(np.isin(entry.evaluation.clip_ids, wanted))


def evaluation_of(prediction: Prediction, corpus: Corpus, system: str) -> Evaluation:
    """The evaluation of predictions for some clips of the corpus."""
    clips = corpus.select(prediction.clip_ids)
    classes = in_canonical_order({*prediction.classes, *corpus.classes})
    return Evaluation(
        system=system,
        corpus=corpus.label,
        protocol="clean: trained on no clip of this corpus",
        classes=classes,
        **concatenate_folds([FoldPredictions(clips, prediction)], classes),
    )


# aver.


def checkpoint_folder(given: Path | None, default: str) -> Path:
    """The folder of a recognizer, the shipped one if none is given."""
    return (
        find_shipped(default, "recognizer").checked() if given is None else find_checkpoint(given)
    )


def own_entries(folder: Path, corpus: Corpus, store: FeatureStore) -> list[Entry]:
    """The recognizer's predictions from each modality alone and fused, on whole clips.

    A recognizer trained with speaker adaptation is adapted on the clips of each speaker.

    Raises
    ------
    SettingsError
        If it was trained on the corpus, or its fusion was chosen on one of the actors.
    """
    recognizer = load(folder, store)
    check_fusion(recognizer.card, corpus)
    evaluation = predict_corpus(recognizer, corpus, store)
    evaluation = replace(evaluation, system=_name_of(folder, recognizer))
    adapted = ", adapted" if recognizer.card.get("adapt") else ""
    alone = [
        (f"{_INPUTS.get(modality, modality)} alone{adapted}", evaluation.of_modality(modality))
        for modality in sorted(evaluation.modalities, reverse=True)
    ]
    return [
        Entry(_name_of(folder, recognizer), reads, one)
        for reads, one in (*alone, (f"{_FUSED}{adapted}", evaluation))
    ]


def check_fusion(card: Mapping[str, Any], corpus: Corpus) -> None:
    """Raise SettingsError if, by its card, the fusion was chosen on clips of one of the actors."""
    fusion = card.get("fusion")
    if not isinstance(fusion, Mapping) or fusion.get("chosen_on") != corpus.label:
        return
    shared = sorted(set(fusion["speakers"]).intersection(corpus.speakers))
    if shared:
        raise SettingsError(
            f"The fusion of this recognizer was chosen on {corpus.label} clips of the actors to "
            f"compare on: {', '.join(shared)}. Name other actors with --actors."
        )


def same_frames_entry(
    folder: Path, corpus: Corpus, frames: Path, store: FeatureStore
) -> list[Entry]:
    """The recognizer's face branch on the very frames and boxes of the peers; empty without one."""
    recognizer = load(folder, store)
    if "video" not in recognizer.features:
        return []
    recognizer = recognizer.with_features_from(SameFrames(store, read_face_frames(frames)))
    prediction = recognizer.predict_all([clip.without_labels() for clip in corpus])
    alone = replace(prediction, probabilities=prediction.by_modality["video"], by_modality={})
    name = _name_of(folder, recognizer)
    evaluation = evaluation_of(alone, corpus, f"{name}, {FRAMES} frames")
    return [Entry(name, _SAME_FRAMES, evaluation)]


class SameFrames:
    """A source of features that takes faces from the frames and boxes of `frames.py`.

    Parameters
    ----------
    store : FeatureStore
        For all other features.
    files : mapping of str to Path
        By the id of the clip, as `read_face_frames` gives them.
    """

    def __init__(self, store: FeatureStore, files: Mapping[str, Path]) -> None:
        self._store = store
        self._files = files

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip."""
        if isinstance(feature, FaceCrops):
            return self._crops(clip, feature)
        if isinstance(feature, DerivedFeature) and feature.modality == "video":
            return feature.from_basis(self.get(clip, feature.basis))
        return self._store.get(clip, feature)

    def _crops(self, clip: Clip, feature: FaceCrops) -> FeatureRecord:
        frames = load_face_frames(self._files[clip.clip_id])
        windows = squared(frames.boxes, 1 + 2 * feature.margin)
        crops = [
            cut_square(image, window, feature.size_px)
            for image, window in zip(frames.images, windows, strict=True)
        ]
        return FeatureRecord(
            arrays={
                "crops": np.stack(crops),
                "times_s": frames.times_s,
                "found": np.ones(len(crops), bool),
            },
            coverage=1.0,
        )


def _name_of(folder: Path, recognizer: Recognizer) -> str:
    return f"{_OWN}{recognizer.name if folder.name == 'checkpoint' else folder.name}"


def weights_facts(folder: Path) -> dict[str, Any]:
    """What identifies the weights of a recognizer."""
    content = (folder / WEIGHTS_NAME).read_bytes()
    return {"name": folder.name, "sha256": hashlib.sha256(content).hexdigest()}


# Table.


def restrict(probabilities: np.ndarray, classes: Sequence[str], kept: Sequence[str]) -> np.ndarray:
    """Probabilities of some classes only, scaled to sum to 1.

    Parameters
    ----------
    probabilities : np.ndarray [shape=(clips, classes)]
    classes : sequence of str
        Of the columns.
    kept : sequence of str
        Classes to keep; one that is not among `classes` gets probability 0.

    Returns
    -------
    np.ndarray [shape=(clips, kept)]
        Equal probabilities for a clip that has none of the kept classes; rows of NaN stay.

    Examples
    --------
    >>> classes = ["happy", "sad", "disgust"]
    >>> restrict(np.array([[0.1, 0.3, 0.6]]), classes, ["sad", "happy"]).round(2).tolist()
    [[0.75, 0.25]]
    """
    columns = [
        probabilities[:, list(classes).index(name)] if name in classes else 0 * probabilities[:, 0]
        for name in kept
    ]
    values = np.stack(columns, axis=1)
    totals = values.sum(axis=1, keepdims=True)
    return np.where(totals == 0, 1 / len(kept), values / np.where(totals == 0, 1, totals))


def restricted(evaluation: Evaluation, kept: Sequence[str]) -> Evaluation:
    """The evaluation with the fused predictions restricted to some classes."""
    table = evaluation.predictions[list(CLIP_COLUMNS)].copy()
    table[probability_columns(kept)] = restrict(evaluation.probabilities, evaluation.classes, kept)
    return replace(evaluation, classes=tuple(kept), predictions=table, modalities=(), targets=())


def differences_to(entries: Sequence[Entry], kept: Sequence[str]) -> list[PairedComparison]:
    """Accuracy of aver without adaptation, on the peers' frames and fused, minus that of each."""
    own = [one for one in entries if one.reads in (_SAME_FRAMES, _FUSED) and one.is_own]
    return [
        compare_pair(restricted(one.evaluation, kept), restricted(peer.evaluation, kept))
        for one in own
        for peer in entries
        if not peer.is_own
    ]


def difference_facts(one: PairedComparison) -> dict[str, Any]:
    """As JSON values."""
    return {
        "first": one.first,
        "second": one.second,
        "accuracy": {
            "value": one.difference.value, "low": one.difference.low, "high": one.difference.high
        },
        "p": one.p_speakers,
        "minimum_detectable": one.detectable if np.isfinite(one.detectable) else None,
        "clips": one.clips,
    }  # fmt: skip


def table_of(
    entries: Sequence[Entry], corpus: Corpus, differences: Sequence[PairedComparison] = ()
) -> Table:
    """One row per entry: accuracy, unweighted recall and calibration error with intervals."""
    rows = []
    for one in entries:
        clips = one.evaluation.clip_count
        few = restricted(one.evaluation, corpus.classes)
        shares = [
            interval_of_metric(name, metric(evaluation), clips)
            for name, metric, evaluation in (
                ("accuracy", accuracy, few),
                ("unweighted_recall", unweighted_recall, few),
                ("calibration_error", calibration_error, few),
                ("accuracy", accuracy, one.evaluation),
            )
        ]
        cells = [Estimate.of(share, percent=place != 2) for place, share in enumerate(shares)]
        rows.append([one.system, one.reads, clips, *cells])
    chance = f"chance {100 / len(corpus.classes):.1f}"
    return Table.of(
        "peers",
        f"{corpus.label}, actors {', '.join(corpus.speakers)}: {len(corpus)} clips, "
        f"{len(corpus.classes)} emotions ({chance})",
        (
            "system",
            "reads",
            "clips",
            "accuracy (%)",
            "UAR (%)",
            "calibration error",
            "accuracy, disgust allowed (%)",
        ),
        rows,
        [
            f"{FRAMES} frames: the same frames and boxes for all systems.",
            "A modality alone: on the clips that have it.",
            "Adapted: on the unlabeled clips of each actor.",
            "Intervals: 95 %, over actors.",
            *map(_words, differences),
        ],
    )


def _words(one: PairedComparison) -> str:
    difference = Estimate.of(one.difference, signed=True)
    return (
        f"{one.first} minus {one.second}: {difference} points, p {one.p_speakers:.3f}, minimum "
        f"detectable difference {100 * one.detectable:.1f}."
    )


if __name__ == "__main__":
    main()
