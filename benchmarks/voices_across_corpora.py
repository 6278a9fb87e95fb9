"""Voices on corpora that were not trained on: four feature sets, with and without adaptation.

    python benchmarks/voices_across_corpora.py --data DIR [--workers 2] [--sets functionals egemaps]

Protocol. Corpora: RAVDESS (speech, audio files), nEMO, ASED, javanese-av. Of nEMO every second clip
is used: its 9 speakers say 90 sentences in each emotion. Each of the first three is predicted after
training on the other two. The settings of each classifier (C, width of the kernel) are those with
the highest mean recall over these three tests, once for each feature set, with and without
adaptation, trained on 500 clips per corpus. javanese-av is then predicted once, after training on
RAVDESS, on RAVDESS and nEMO (the corpora that ship), and on all three. Of each training corpus at
most 1,000 clips are used, drawn at random, so that none outweighs the others. Classes are those
that training and test have in common. Adapted means that each speaker's features are on the scale
of all clips of that speaker, without labels, in training and test. A clip without speech counts as
wrong. Intervals are 95 %, over speakers.

"clip-functionals" describe whole clips and are scaled by mean and standard deviation; the others
are scaled by median and quartiles. Sets with eGeMAPS need aver[opensmile]. Prints the tables and
writes ``benchmarks/results/voices_across_corpora.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import product
from pathlib import Path

import numpy as np

from aver.corpora import open_corpus
from aver.corpora.corpus import Selection
from aver.emotions import in_canonical_order
from aver.evaluation.intervals import SpeakerSums, divide, interval, sum_by_speaker
from aver.features.feature import Feature, feature_from_settings
from aver.features.speaker_adaptation import Scale
from aver.features.store import FeatureStore
from aver.models.layers.score_classifier import ScoreClassifier, fit_logistic, fit_svm

RESULT = Path(__file__).parent / "results" / "voices_across_corpora.json"
TRAINING_CLIPS, CHOICE_CLIPS = 1000, 500
EVERY = {"nemo": 2}
CORPORA = {
    "ravdess": ("ravdess", "ravdess", {}),
    "nemo": ("nemo", "nemo", {}),
    "ased": ("ased", "ased", {}),
    "javanese-av": ("javanese-av", "manifest", {"config": "javanese-av"}),
}
CHOOSING = (
    (("nemo", "ased"), "ravdess"),
    (("ravdess", "ased"), "nemo"),
    (("ravdess", "nemo"), "ased"),
)
FINAL = (
    (("ravdess",), "javanese-av"),
    (("ravdess", "nemo"), "javanese-av"),
    (("ravdess", "nemo", "ased"), "javanese-av"),
)
FEATURES: dict[str, Feature] = {
    "clip-functionals": feature_from_settings("clip-functionals", {"needs_speech": False}),
    "functionals": feature_from_settings("audio-functionals", {}),
    "egemaps": feature_from_settings("egemaps", {}),
}
SETS = {
    "clip-functionals": ("clip-functionals",),
    "functionals": ("functionals",),
    "egemaps": ("egemaps",),
    "both": ("functionals", "egemaps"),
}
SVM, SQUARED, LOGISTIC = "SVM", "least-squares SVM", "logistic regression"
CLASSIFIERS = (SVM, SQUARED, LOGISTIC)

Fit = Callable[[np.ndarray, np.ndarray, int], ScoreClassifier]


@dataclass(frozen=True)
class Voices:
    """Functionals of one corpus.

    Parameters
    ----------
    vectors : np.ndarray [shape=(clips, values)]
        NaN in clips without speech.
    labels, speakers : np.ndarray of str [shape=(clips,)]
    """

    vectors: np.ndarray
    labels: np.ndarray
    speakers: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Clips with speech."""
        return np.isfinite(self.vectors).all(axis=1)

    def take(self, rows: np.ndarray) -> Voices:
        """Some of the clips."""
        return Voices(self.vectors[rows], self.labels[rows], self.speakers[rows])

    def adapted(self) -> Voices:
        """Each speaker's clips on the speaker's own scale."""
        vectors = np.full(self.vectors.shape, np.nan)
        for speaker in np.unique(self.speakers):
            rows = np.flatnonzero((self.speakers == speaker) & self.usable)
            if rows.size:
                scale = Scale.of(list(self.vectors[rows]))
                vectors[rows] = [scale.apply(vector) for vector in self.vectors[rows]]
        return Voices(vectors, self.labels, self.speakers)


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the four corpora")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    needed = {part for name in arguments.sets for part in SETS[name]}
    parts = read_voices(arguments.data, {name: FEATURES[name] for name in needed}, arguments)
    chosen, rows = {}, []
    for name in arguments.sets:
        voices = {corpus: joined(parts, SETS[name], corpus) for corpus in CORPORA}
        for adapted, classifier in product((False, True), CLASSIFIERS):
            one = {key: value.adapted() for key, value in voices.items()} if adapted else voices
            settings = choose(one, name, classifier)
            chosen[f"{name}, {classifier}, {'adapted' if adapted else 'not adapted'}"] = settings
            for trained, tested in (*CHOOSING, *FINAL):
                row = measure(one, trained, tested, make_fit(name, classifier, settings))
                label = {"set": name, "classifier": classifier, "adapted": adapted}
                rows.append({**label, "trained": list(trained), "tested": tested, **row})
                print(describe(rows[-1]), flush=True)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"protocol": __doc__, "settings": chosen, "rows": rows}
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    print_tables(rows)


def read_voices(
    data: Path,
    features: Mapping[str, Feature],
    arguments: argparse.Namespace,
    speakers: Mapping[str, tuple[str, ...]] | None = None,
) -> dict[tuple[str, str], Voices]:
    """Functionals by feature and corpus; of a corpus in `speakers` only those are read."""
    store = FeatureStore()
    found = {}
    for corpus_name, (folder, reader, settings) in CORPORA.items():
        corpus = open_corpus(data / folder, reader, **settings)
        corpus = Selection(speakers=(speakers or {}).get(corpus_name, ())).apply(corpus)
        clips = list(corpus)[:: EVERY.get(corpus_name, 1)]
        store.prepare(clips, list(features.values()), workers=arguments.workers)
        labels = np.array([str(clip.emotion) for clip in clips])
        names = np.array([f"{corpus_name}/{clip.speaker}" for clip in clips])
        for name, feature in features.items():
            vectors = [store.get(clip, feature).arrays.get("statistics") for clip in clips]
            width = next(vector.size for vector in vectors if vector is not None)
            filled = [np.full(width, np.nan) if one is None else one for one in vectors]
            found[name, corpus_name] = Voices(np.array(filled, np.float64), labels, names)
            missing = len(clips) - int(found[name, corpus_name].usable.sum())
            print(f"{corpus_name}, {name}: {missing} of {len(clips)} clips without speech")
    return found


def joined(parts: Mapping[tuple[str, str], Voices], names: Sequence[str], corpus: str) -> Voices:
    """Several sets side by side."""
    vectors = np.hstack([parts[name, corpus].vectors for name in names])
    first = parts[names[0], corpus]
    return Voices(vectors, first.labels, first.speakers)


def make_fit(name: str, classifier: str, settings: Mapping[str, float]) -> Fit:
    """The classifier with its settings."""
    scaling = "standard" if name == "clip-functionals" else "robust"
    if classifier == LOGISTIC:
        return partial(fit_logistic, scaling=scaling, **settings)
    loss = "squared" if classifier == SQUARED else "hinge"
    return partial(fit_svm, scaling=scaling, loss=loss, **settings)


def choose(voices: Mapping[str, Voices], name: str, classifier: str) -> dict[str, float]:
    """The settings with the highest mean recall over the three choosing tests."""
    Cs = {SVM: (0.3, 1.0), SQUARED: (1.0, 3.0), LOGISTIC: (0.003, 0.03, 0.3)}[classifier]
    widths = (1.0,) if name == "clip-functionals" else (1.5, 2.0, 3.0)
    grid = [{"C": C} for C in Cs]
    if classifier != LOGISTIC:
        grid = [{**one, "kernel_width": width} for one, width in product(grid, widths)]
    scores = []
    for settings in grid:
        fit = make_fit(name, classifier, settings)
        tests = [measure(voices, on, to, fit, CHOICE_CLIPS) for on, to in CHOOSING]
        scores.append(np.mean([test["recall"] for test in tests]))
    return grid[int(np.argmax(scores))]


def measure(
    voices: Mapping[str, Voices],
    trained: Sequence[str],
    tested: str,
    fit: Fit,
    most_clips: int = TRAINING_CLIPS,
) -> dict[str, object]:
    """Accuracy with its interval and mean recall, in percent, for one test corpus."""
    test = voices[tested]
    known = {label for name in trained for label in voices[name].labels}
    classes = in_canonical_order(known & set(test.labels))
    parts = []
    for name in trained:
        usable = np.flatnonzero(voices[name].usable & np.isin(voices[name].labels, classes))
        order = np.random.default_rng(0).permutation(usable)
        parts.append(voices[name].take(np.sort(order[:most_clips])))
    targets = np.array([classes.index(label) for part in parts for label in part.labels])
    model = fit(np.concatenate([part.vectors for part in parts]), targets, len(classes))
    test = test.take(np.isin(test.labels, classes))
    truth = np.array([classes.index(label) for label in test.labels])
    found = np.full(len(truth), -1)
    found[test.usable] = model.scores(test.vectors[test.usable]).argmax(axis=1)
    correct = found == truth
    speakers, index = np.unique(test.speakers, return_inverse=True)
    sums = sum_by_speaker(index, len(speakers), np.stack([correct, np.ones(len(correct))], axis=1))
    accuracy = interval(
        SpeakerSums("accuracy", tuple(speakers), sums, lambda s: divide(s[..., 0], s[..., 1]))
    )
    recall = np.mean([correct[truth == k].mean() for k in range(len(classes))])
    return {
        "classes": classes,
        "clips": len(truth),
        "accuracy": round(100 * accuracy.value, 1),
        "low": None if accuracy.low is None else round(100 * accuracy.low, 1),
        "high": None if accuracy.high is None else round(100 * accuracy.high, 1),
        "recall": round(100 * float(recall), 1),
    }


def describe(row: Mapping[str, object]) -> str:
    """One line."""
    adapted = "adapted" if row["adapted"] else "not adapted"
    trained = "+".join(row["trained"])  # type: ignore[arg-type]
    return (
        f"{row['set']}, {row['classifier']}, {adapted}: {trained} -> {row['tested']} "
        f"{row['accuracy']} [{row['low']}, {row['high']}], recall {row['recall']}"
    )


def print_tables(rows: Sequence[Mapping[str, object]]) -> None:
    """One Markdown table without adaptation and one with it."""
    sets = list(dict.fromkeys(str(row["set"]) for row in rows))
    for adapted in (False, True):
        print(f"\n{'Adapted to each speaker' if adapted else 'Not adapted'}\n")
        print("| trained on | tested on | classes | classifier | " + " | ".join(sets) + " |")
        print("|---" * (4 + len(sets)) + "|")
        for (trained, tested), classifier in product((*CHOOSING, *FINAL), CLASSIFIERS):
            line = [
                row
                for row in rows
                if (row["adapted"], row["trained"], row["tested"], row["classifier"])
                == (adapted, list(trained), tested, classifier)
            ]
            cells = [f"{row['accuracy']} [{row['low']}, {row['high']}]" for row in line]
            start = [", ".join(trained), tested, str(len(line[0]["classes"])), classifier]  # type: ignore[arg-type]
            print("| " + " | ".join([*start, *cells]) + " |")


if __name__ == "__main__":
    main()
