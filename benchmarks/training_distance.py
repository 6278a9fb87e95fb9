"""Ways to measure how far a clip is from the training data.

    python benchmarks/training_distance.py --data DIR [--faces WEIGHTS]

Voices: `audio-functionals` of RAVDESS and nEMO (at most 1,000 training clips each), the classifier
of the preset expert-fusion, one speaker in five for validation, three seeds. Unseen clips: ASED
(Amharic), and 120 clips of RAVDESS with white noise as loud as the voice, and with the band of a
telephone. Faces: embeddings of ExpW faces, one in five for validation. Unseen: javanese-av,
actors 01, 02, 06 and 07, and validation faces that are upside down, reduced to 10 pixels, or
negatives.

The columns: area under the ROC curve that tells unseen clips from validation clips, and wrong from
right predictions on the unseen corpus (0.5: not at all). With the fusion's rule, whose exponent and
power are chosen by log loss on javanese-av, actors 01, 02, 06 and 07, for voices: log loss,
calibration error and area under the risk-coverage curve on ASED. "none" ignores the distance.
"Used" is that of the library. Means over the seeds. Prints the tables and writes
``benchmarks/results/training_distance.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import soundfile
from scipy.signal import butter, sosfilt

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Selection
from aver.emotions import in_canonical_order
from aver.features.face_embeddings import FaceEmbeddings
from aver.features.store import FeatureStore
from aver.media.audio import read_audio
from aver.models.base.training_distance import TrainingDistance
from aver.models.expert_fusion.fusion_rule import (
    DISTANCE_POWERS,
    EXPONENTS,
    Evidence,
    FusionRule,
)
from aver.models.layers.score_classifier import ScoreClassifier, fit_logistic, fit_svm
from aver.networks.face_network import face_network
from aver.networks.pretrained import find_weights
from aver.pretraining.images import read_images
from voices_across_corpora import FEATURES, Voices, joined, read_voices

RESULT = Path(__file__).parent / "results" / "training_distance.json"
SEEDS = (0, 1, 2)
TRAINING_CLIPS, DEGRADED_CLIPS, IMAGES = 1000, 120, 5000
CHOSEN_ON = ("01", "02", "06", "07")
RATE_HZ = 16000

Distance = Callable[[np.ndarray], np.ndarray]


def standardized(train: np.ndarray) -> Distance:
    """By median and quartiles, limited as in `TrainingDistance`."""
    low, middle, high = np.percentile(train, (25, 50, 75), axis=0)
    spread = np.maximum((high - low) / 1.349, 1e-6)
    return lambda rows: np.clip((rows - middle) / spread, -10, 10)


def mahalanobis(train: np.ndarray, _: ScoreClassifier, one_term: bool) -> Distance:
    """On 64 axes and what they leave out, which counts as one axis or as all axes left out."""
    scale = standardized(train)
    values = scale(train)
    _u, lengths, rows = np.linalg.svd(values, full_matrices=False)
    axes = rows[: min(64, len(train) // 10, train.shape[1])]
    std = lengths[: len(axes)] / np.sqrt(len(values))
    left = (values**2).sum(axis=1) - ((values @ axes.T) ** 2).sum(axis=1)
    rest = left.mean() / (1 if one_term else train.shape[1] - len(axes))

    def distance(clips: np.ndarray) -> np.ndarray:
        standard = scale(clips)
        along = standard @ axes.T
        left_out = (standard**2).sum(axis=1) - (along**2).sum(axis=1)
        return np.sqrt(((along / std) ** 2).sum(axis=1) + left_out / rest)

    return distance


def neighbor(train: np.ndarray, _: ScoreClassifier, k: int) -> Distance:
    """Distance to the k-th nearest training clip."""
    from sklearn.neighbors import NearestNeighbors

    scale = standardized(train)
    model = NearestNeighbors(n_neighbors=k).fit(scale(train))
    return lambda clips: model.kneighbors(scale(clips))[0][:, -1]


def energy(_: np.ndarray, classifier: ScoreClassifier) -> Distance:
    """Exponential of the energy of the scores, Liu et al. (2020), equation 4."""

    def distance(clips: np.ndarray) -> np.ndarray:
        scores = classifier.scores(clips) / classifier.temperature
        return np.exp(-np.log(np.exp(scores).sum(axis=1)))

    return distance


METHODS: Mapping[str, Callable[[np.ndarray, ScoreClassifier], Distance]] = {
    "Mahalanobis, rest as one axis": partial(mahalanobis, one_term=True),
    "Mahalanobis, rest as all its axes": partial(mahalanobis, one_term=False),
    "nearest neighbor": partial(neighbor, k=1),
    "5th nearest neighbor": partial(neighbor, k=5),
    "20th nearest neighbor": partial(neighbor, k=20),
    "5th nearest of 1,000 (used)": lambda train, _: TrainingDistance.fit(train, train[:0]).ratios,
    "energy": energy,
}


def area(scores: np.ndarray, positive: np.ndarray) -> float:
    """Area under the ROC curve, in percent."""
    from sklearn.metrics import roc_auc_score

    return 100 * float(roc_auc_score(positive, scores))


def calibration(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Log loss, expected calibration error (15 bins) and area under the risk-coverage curve."""
    confidence = probabilities.max(axis=1)
    correct = probabilities.argmax(axis=1) == labels
    bins = np.minimum((confidence * 15).astype(int), 14)
    gaps = [abs(correct[bins == b].sum() - confidence[bins == b].sum()) for b in range(15)]
    order = np.argsort(-confidence, kind="stable")
    risk = np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)
    chosen = np.maximum(probabilities[np.arange(len(labels)), labels], 1e-6)
    return {
        "log loss": float(-np.log(chosen).mean()),
        "calibration error": 100 * sum(gaps) / len(labels),
        "risk-coverage": 100 * float(risk.mean()),
    }


@dataclass(frozen=True)
class Part:
    """Vectors and labels of clips that have the modality."""

    vectors: np.ndarray
    labels: np.ndarray

    def evidence(self, classifier: ScoreClassifier, distances: np.ndarray) -> Evidence:
        """For the fusion's rule."""
        return Evidence(
            classifier.probabilities(self.vectors), np.ones(len(self.labels)), distances
        )


def part_of(voices: Voices, classes: list[str], rows: np.ndarray | None = None) -> Part:
    """Clips of the classes."""
    kept = voices.usable & np.isin(voices.labels, classes)
    if rows is not None:
        kept &= rows
    labels = np.array([classes.index(label) for label in voices.labels[kept]], dtype=int)
    return Part(voices.vectors[kept], labels)


def join(parts: Iterable[Part]) -> Part:
    """One after the other."""
    found = list(parts)
    return Part(
        np.concatenate([one.vectors for one in found]),
        np.concatenate([one.labels for one in found]),
    )


def at_most(part: Part, count: int, random: np.random.Generator) -> Part:
    """Some, drawn at random."""
    rows = np.sort(random.permutation(len(part.labels))[:count])
    return Part(part.vectors[rows], part.labels[rows])


def degraded_voices(data: Path) -> dict[str, np.ndarray]:
    """Functionals of RAVDESS clips with noise, and of the band of a telephone."""
    feature = FEATURES["functionals"]
    paths = sorted((data / "ravdess").rglob("03-01-*.flac"))
    paths = paths[:: max(1, len(paths) // DEGRADED_CLIPS)]
    random = np.random.default_rng(0)
    band = butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos")
    found: dict[str, list[np.ndarray]] = {"noise": [], "telephone": []}
    with tempfile.TemporaryDirectory() as folder:
        for path in paths:
            sound = read_audio(path, RATE_HZ)
            noise = random.standard_normal(sound.size) * sound.std()
            for kind, changed in (("noise", sound + noise), ("telephone", sosfilt(band, sound))):
                soundfile.write(
                    Path(folder) / "a.wav", changed / np.abs(changed).max() / 2, RATE_HZ
                )
                record = feature.extract(Clip("a", None, None, audio=Path(folder) / "a.wav"))
                if not record.missing:
                    found[kind].append(record.arrays["statistics"])
    return {kind: np.array(rows) for kind, rows in found.items()}


def measure_voices(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Means over the seeds."""
    parts = read_voices(arguments.data, {"functionals": FEATURES["functionals"]}, arguments)
    voices = {name: joined(parts, ("functionals",), name) for _, name in parts}
    classes = in_canonical_order(set(voices["ravdess"].labels) & set(voices["nemo"].labels))
    degraded = degraded_voices(arguments.data)
    ased = part_of(voices["ased"], classes)
    filmed = voices["javanese-av"]
    actors = [f"javanese-av/{actor}" for actor in CHOSEN_ON]
    chosen_on = part_of(filmed, classes, np.isin(filmed.speakers, actors))
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        train, validation = [], []
        for name in ("ravdess", "nemo"):
            speakers = random.permutation(np.unique(voices[name].speakers))
            held = np.isin(voices[name].speakers, speakers[: max(1, len(speakers) // 5)])
            train.append(at_most(part_of(voices[name], classes, ~held), TRAINING_CLIPS, random))
            validation.append(part_of(voices[name], classes, held))
        taught, held_out = join(train), join(validation)
        classifier = fit_svm(
            taught.vectors, taught.labels, len(classes), 3.0, "robust", 3.0, "squared"
        )
        unseen = {"ASED": ased.vectors, **degraded}
        for method, make in METHODS.items():
            distance = make(taught.vectors, classifier)
            figures = separation(distance, held_out, unseen, ased, classifier)
            figures |= with_rule(distance, held_out, chosen_on, ased, classifier)
            rows.setdefault(method, []).append(figures)
        nothing = with_rule(None, held_out, chosen_on, ased, classifier)
        rows.setdefault("none", []).append(nothing)
    return averaged(rows)


def separation(
    distance: Distance,
    validation: Part,
    unseen: Mapping[str, np.ndarray],
    corpus: Part,
    classifier: ScoreClassifier,
) -> dict[str, float]:
    """Areas under ROC curves."""
    known = distance(validation.vectors)
    found = {}
    for name, vectors in unseen.items():
        other = distance(vectors)
        is_unseen = np.r_[np.zeros(len(known)), np.ones(len(other))]
        found[name] = area(np.r_[known, other], is_unseen)
    wrong = classifier.scores(corpus.vectors).argmax(axis=1) != corpus.labels
    found["wrong predictions"] = area(distance(corpus.vectors), wrong)
    return found


def with_rule(
    distance: Distance | None,
    validation: Part,
    chosen_on: Part,
    test: Part,
    classifier: ScoreClassifier,
) -> dict[str, float]:
    """Calibration on the test corpus with the rule that is best on other clips."""

    def evidence(part: Part) -> Evidence:
        if distance is None:
            return part.evidence(classifier, np.zeros(len(part.labels)))
        limit = np.quantile(distance(validation.vectors), 0.99)
        return part.evidence(classifier, distance(part.vectors) / limit)

    to_choose, to_test = evidence(chosen_on), evidence(test)
    powers = DISTANCE_POWERS if distance else (0.0,)
    rules = [
        FusionRule({"audio": exponent}, distance_power=power)
        for exponent in EXPONENTS
        for power in powers
    ]

    def loss(rule: FusionRule) -> float:
        return calibration(rule.alone("audio", to_choose), chosen_on.labels)["log loss"]

    best = min(rules, key=loss)
    flagged = 100 * float((to_test.distance > 1).mean())
    figures = calibration(best.alone("audio", to_test), test.labels)
    return {**figures, "power": best.distance_power, "flagged": flagged}


def measure_faces(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Embeddings of images."""
    network = face_network(find_weights(arguments.faces))
    clips = list(open_corpus(arguments.data / "expw-train", "expw"))
    clips = clips[:: max(1, len(clips) // IMAGES)]
    images = read_images(clips, network.size_px)
    classes = in_canonical_order({str(clip.emotion) for clip in clips})
    labels = np.array([classes.index(str(clip.emotion)) for clip in clips])
    held = np.random.default_rng(0).random(len(clips)) < 0.2
    vectors = network.embed(images)
    taught, validation = (Part(vectors[rows], labels[rows]) for rows in (~held, held))
    few = images[held]
    coarse = np.stack([_coarse(image) for image in few])
    unseen = {
        "upside down": network.embed(np.ascontiguousarray(few[:, ::-1])),
        "10 pixels": network.embed(coarse),
        "negatives": network.embed(255 - few),
    }
    classifier = fit_logistic(taught.vectors, taught.labels, len(classes), 0.01)
    filmed = Selection(speakers=CHOSEN_ON).apply(
        open_corpus(arguments.data / "javanese-av", "manifest", config="javanese-av")
    )
    store, feature = FeatureStore(), FaceEmbeddings(weights=arguments.faces)
    known = store.prepare(filmed.clips, [feature], workers=arguments.workers).clips
    means = [
        store.get(clip, feature).arrays["embeddings"].astype(float).mean(axis=0) for clip in known
    ]
    corpus = Part(np.array(means), np.array([classes.index(str(clip.emotion)) for clip in known]))
    rows = {}
    for method, make in METHODS.items():
        distance = make(taught.vectors, classifier)
        others = {"javanese-av": corpus.vectors, **unseen}
        rows[method] = [separation(distance, validation, others, corpus, classifier)]
    return averaged(rows)


def _coarse(image: np.ndarray) -> np.ndarray:
    import cv2

    small = cv2.resize(image, (10, 10), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_CUBIC)


def averaged(rows: Mapping[str, list[dict[str, float]]]) -> dict[str, dict[str, float]]:
    """Means over the seeds, and the measured method of the library by its name."""
    return {
        method: {key: round(float(np.mean([row[key] for row in found])), 3) for key in found[0]}
        for method, found in rows.items()
    }


def show(table: Mapping[str, Mapping[str, float]]) -> None:
    """As Markdown."""
    columns = list(next(iter(table.values())))
    print("\n| distance | " + " | ".join(columns) + " |\n" + "|---" * (len(columns) + 1) + "|")
    for method, row in table.items():
        print(
            f"| {method} | "
            + " | ".join(f"{row[c]:.3g}" if c in row else "" for c in columns)
            + " |"
        )


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--faces", default="", help="weights of a face network; empty for none")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--out", type=Path, default=RESULT)
    arguments = parser.parse_args()
    tables = {"voices": measure_voices(arguments)}
    if arguments.faces:
        tables["faces"] = measure_faces(arguments)
    for name, table in tables.items():
        print(f"\n{name}")
        show(table)
    arguments.out.parent.mkdir(parents=True, exist_ok=True)
    content = {"protocol": __doc__, **tables}
    arguments.out.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
