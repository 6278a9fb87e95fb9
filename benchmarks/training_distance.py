"""Ways to measure how far a clip is from the training data.

    python benchmarks/training_distance.py --data DIR [--faces WEIGHTS]

Voices: `audio-functionals` of RAVDESS and nEMO (at most 1,000 training clips each), the classifier
of the preset expert-fusion, one speaker in five of each corpus for validation. Clips of other
kinds: ASED (Amharic), and RAVDESS clips of the validation speakers with white noise as loud as the
voice, with the band of a telephone, and as MP3 of 8 kbit/s; these are compared with the same
speakers' validation clips. Faces: embeddings of 5,000 training images of FER2013 (votes of FER+)
and ExpW, and of 1,500 validation images, which the network was not trained on. Copies among them
are not set aside. Of other kinds: javanese-av, and validation faces that are cut to the inner half,
half as large, upside down, reduced to 10 pixels, or negatives. Three seeds draw the validation
speakers and the training clips and images. Of javanese-av only actors 01, 02, 06 and 07 are read.

The columns: area under the ROC curve (50: chance) that tells clips of other kinds from validation
clips, and wrong from right predictions on validation clips and on the unseen corpus. With the
fusion's rule, whose exponent is chosen by log loss: log loss, calibration error and area under the
risk-coverage curve on the unseen corpus, for the power that is chosen by log loss too, and for
power 2. "none" ignores the distance. The unseen corpus is ASED for voices, with the rule chosen on
javanese-av. For faces it is javanese-av, each actor with the rule chosen on the three others.
"Used" is that of the library. Means over the seeds. Prints the tables and writes
``benchmarks/results/training_distance.json``.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import cv2
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
from aver.pretraining.images import join_images, read_images
from voices_across_corpora import FEATURES, Voices, joined, read_voices

RESULT = Path(__file__).parent / "results" / "training_distance.json"
SEEDS = (0, 1, 2)
TRAINING_CLIPS, DEGRADED_CLIPS = 1000, 360
IMAGES, VALIDATION_IMAGES = 5000, 1500
FORCED_POWER = 2.0
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


def neighbor(
    train: np.ndarray, _: ScoreClassifier, k: int, most_clips: int | None = None
) -> Distance:
    """Distance to the k-th nearest of the training clips, or of so many, evenly chosen."""
    from sklearn.neighbors import NearestNeighbors

    scale = standardized(train)
    kept = np.linspace(0, len(train) - 1, min(len(train), most_clips or len(train)))
    model = NearestNeighbors(n_neighbors=k).fit(scale(train[kept.round().astype(int)]))
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
    "10th nearest neighbor": partial(neighbor, k=10),
    "nearest of 1,000 (used)": lambda train, _: TrainingDistance.fit(train, train[:0]).ratios,
    "5th nearest of 1,000": partial(neighbor, k=5, most_clips=1000),
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


def degraded_voices(data: Path) -> dict[str, Voices]:
    """Functionals of RAVDESS clips with noise, with the band of a telephone, and as small MP3."""
    feature = FEATURES["functionals"]
    clips = [clip for clip in open_corpus(data / "ravdess", "ravdess") if clip.audio]
    clips = clips[:: max(1, len(clips) // DEGRADED_CLIPS)]
    random = np.random.default_rng(0)
    band = butter(4, (300, 3400), "bandpass", fs=RATE_HZ, output="sos")
    found: dict[str, list[tuple[np.ndarray, str, str]]] = {"noise": [], "telephone": [], "MP3": []}
    with tempfile.TemporaryDirectory() as folder:
        for clip in clips:
            sound = read_audio(Path(str(clip.audio)), RATE_HZ)
            noise = random.standard_normal(sound.size) * sound.std()
            for kind, changed in {
                "noise": sound + noise,
                "telephone": sosfilt(band, sound),
                "MP3": sound,
            }.items():
                path = Path(folder) / ("a.mp3" if kind == "MP3" else "a.wav")
                smallest = {"compression_level": 0.99, "bitrate_mode": "CONSTANT"}
                options = smallest if kind == "MP3" else {}
                soundfile.write(path, changed / np.abs(changed).max() / 2, RATE_HZ, **options)
                record = feature.extract(Clip("a", None, None, audio=path))
                if not record.missing:
                    row = (record.arrays["statistics"], str(clip.emotion), str(clip.speaker))
                    found[kind].append(row)
    return {
        kind: Voices(*map(np.array, zip(*rows, strict=True)))  # vectors, labels, speakers
        for kind, rows in found.items()
    }


def measure_voices(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Means over the seeds."""
    wanted = {"functionals": FEATURES["functionals"]}
    parts = read_voices(arguments.data, wanted, arguments, {"javanese-av": CHOSEN_ON})
    voices = {name: joined(parts, ("functionals",), name) for _, name in parts}
    classes = in_canonical_order(set(voices["ravdess"].labels) & set(voices["nemo"].labels))
    degraded = degraded_voices(arguments.data)
    ased, chosen_on = (part_of(voices[name], classes) for name in ("ased", "javanese-av"))
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        random = np.random.default_rng(seed)
        train, validation = [], {}
        for name in ("ravdess", "nemo"):
            speakers = random.permutation(np.unique(voices[name].speakers))
            held_speakers = speakers[: max(1, len(speakers) // 5)]
            held = np.isin(voices[name].speakers, held_speakers)
            train.append(at_most(part_of(voices[name], classes, ~held), TRAINING_CLIPS, random))
            validation[name] = part_of(voices[name], classes, held)
            if name == "ravdess":
                numbers = [speaker.partition("/")[2] for speaker in held_speakers]
        taught, held_out = join(train), join(validation.values())
        classifier = fit_svm(
            taught.vectors, taught.labels, len(classes), 3.0, "robust", 3.0, "squared"
        )
        others = {"ASED": (held_out.vectors, ased.vectors)} | {
            kind: (
                validation["ravdess"].vectors,
                part_of(one, classes, np.isin(one.speakers, numbers)).vectors,
            )
            for kind, one in degraded.items()
        }
        add_figures(rows, taught, held_out, others, ased, [(chosen_on, ased)], classifier)
    return averaged(rows)


def add_figures(
    rows: dict[str, list[dict[str, float]]],
    taught: Part,
    validation: Part,
    others: Mapping[str, tuple[np.ndarray, np.ndarray]],
    corpus: Part,
    folds: Sequence[tuple[Part, Part]],
    classifier: ScoreClassifier,
) -> None:
    """Measure every distance for one seed; `others` has vectors to compare by kind."""
    for method, make in METHODS.items():
        distance = make(taught.vectors, classifier)
        figures = separation(distance, validation, others, corpus, classifier)
        figures |= with_rule(distance, validation, folds, classifier)
        rows.setdefault(method, []).append(figures)
    rows.setdefault("none", []).append(with_rule(None, validation, folds, classifier))


def separation(
    distance: Distance,
    validation: Part,
    others: Mapping[str, tuple[np.ndarray, np.ndarray]],
    corpus: Part,
    classifier: ScoreClassifier,
) -> dict[str, float]:
    """Areas under ROC curves."""
    found = {}
    for name, (known, vectors) in others.items():
        is_other = np.r_[np.zeros(len(known)), np.ones(len(vectors))]
        found[name] = area(np.r_[distance(known), distance(vectors)], is_other)
    for name, part in (("wrong, validation", validation), ("wrong, unseen", corpus)):
        wrong = classifier.scores(part.vectors).argmax(axis=1) != part.labels
        found[name] = area(distance(part.vectors), wrong)
    return found


def with_rule(
    distance: Distance | None,
    validation: Part,
    folds: Sequence[tuple[Part, Part]],
    classifier: ScoreClassifier,
) -> dict[str, float]:
    """Calibration on the second part of every fold with the rule that is best on the first."""
    limit = 1.0 if distance is None else np.quantile(distance(validation.vectors), 0.99)

    def evidence(part: Part) -> Evidence:
        if distance is None:
            return part.evidence(classifier, np.zeros(len(part.labels)))
        return part.evidence(classifier, distance(part.vectors) / limit)

    def predict(powers: Sequence[float]) -> tuple[np.ndarray, list[float]]:
        rules = [
            FusionRule({"audio": exponent}, distance_power=power)
            for exponent in EXPONENTS
            for power in powers
        ]
        predictions, used = [], []
        for chosen_on, test in folds:
            seen, losses = evidence(chosen_on), []
            for rule in rules:
                probabilities = rule.alone("audio", seen)
                losses.append(calibration(probabilities, chosen_on.labels)["log loss"])
            best = rules[int(np.argmin(losses))]
            predictions.append(best.alone("audio", evidence(test)))
            used.append(best.distance_power)
        return np.concatenate(predictions), used

    labels = np.concatenate([test.labels for _, test in folds])
    chosen, powers = predict(DISTANCE_POWERS if distance else (0.0,))
    figures = {**calibration(chosen, labels), "power": float(np.mean(powers))}
    if distance:
        forced = calibration(predict((FORCED_POWER,))[0], labels)
        figures |= {f"{name}, power 2": value for name, value in forced.items()}
        beyond = np.concatenate([evidence(test).distance > 1 for _, test in folds])
        figures["flagged"] = 100 * float(beyond.mean())
    return figures


def measure_faces(arguments: argparse.Namespace) -> dict[str, dict[str, float]]:
    """Embeddings of images."""
    network = face_network(find_weights(arguments.faces))
    votes = {"votes": "fer2013new.csv", "names": "fer2013tar_match.csv"}
    votes = {name: str(arguments.data / "ferplus" / file) for name, file in votes.items()}
    images = join_images(
        [
            open_corpus(arguments.data / "fer2013.tar", "fer2013", **votes),
            open_corpus(arguments.data / "expw-train", "expw"),
        ]
    )
    usable = [clip for clip in images if clip.emotion and clip.emotion != "contempt"]
    classes = in_canonical_order({str(clip.emotion) for clip in usable})

    def labels_of(clips: Sequence[Clip]) -> np.ndarray:
        return np.array([classes.index(str(clip.emotion)) for clip in clips])

    random, drawn = np.random.default_rng(0), {}
    for subset, count in (("train", 2 * IMAGES), ("validation", VALIDATION_IMAGES)):
        clips = [clip for clip in usable if clip.subset == subset]
        drawn[subset] = [clips[row] for row in np.sort(random.permutation(len(clips))[:count])]
    vectors = network.embed(read_images(drawn["train"], network.size_px))
    pool = Part(vectors, labels_of(drawn["train"]))
    held = read_images(drawn["validation"], network.size_px)
    validation = Part(network.embed(held), labels_of(drawn["validation"]))
    degraded = {
        kind: network.embed(np.stack([change(image) for image in held]))
        for kind, change in DEGRADED_FACES.items()
    }
    actors = filmed_faces(arguments, labels_of)
    filmed = join(actors)
    folds = [(join(actors[:one] + actors[one + 1 :]), test) for one, test in enumerate(actors)]
    others = {
        kind: (validation.vectors, rows)
        for kind, rows in {"javanese-av": filmed.vectors, **degraded}.items()
    }
    rows: dict[str, list[dict[str, float]]] = {}
    for seed in SEEDS:
        taught = at_most(pool, IMAGES, np.random.default_rng(seed))
        classifier = fit_logistic(taught.vectors, taught.labels, len(classes), 0.01)
        add_figures(rows, taught, validation, others, filmed, folds, classifier)
    return averaged(rows)


def filmed_faces(
    arguments: argparse.Namespace, labels_of: Callable[[Sequence[Clip]], np.ndarray]
) -> list[Part]:
    """Mean embeddings of the clips of each actor of javanese-av who may be used to choose."""
    corpus = open_corpus(arguments.data / "javanese-av", "manifest", config="javanese-av")
    store, feature = FeatureStore(), FaceEmbeddings(weights=arguments.faces)
    found = []
    for actor in CHOSEN_ON:
        clips = Selection(speakers=(actor,)).apply(corpus).clips
        known = store.prepare(clips, [feature], workers=arguments.workers).clips
        frames = [store.get(clip, feature).arrays["embeddings"] for clip in known]
        means = [rows.astype(float).mean(axis=0) for rows in frames]
        found.append(Part(np.array(means), labels_of(known)))
    return found


def _coarse(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image, (10, 10), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, image.shape[::-1], interpolation=cv2.INTER_CUBIC)


def _inner_half(image: np.ndarray) -> np.ndarray:
    cut = len(image) // 4
    inner = image[cut:-cut, cut:-cut]
    return cv2.resize(inner, image.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _half_as_large(image: np.ndarray) -> np.ndarray:
    small = cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    before = (len(image) - len(small)) // 2
    return np.pad(small, (before, len(image) - len(small) - before), mode="edge")


DEGRADED_FACES: Mapping[str, Callable[[np.ndarray], np.ndarray]] = {
    "inner half": _inner_half,
    "half as large": _half_as_large,
    "upside down": lambda image: image[::-1],
    "10 pixels": _coarse,
    "negatives": lambda image: 255 - image,
}


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
