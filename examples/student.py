"""A student's project: own corpus, own feature, own model, and a table for the paper.

The corpus needs no code, only the pattern of its file names. The feature and the model are two
small classes. The model is compared with baselines on the same speaker-independent folds. The
result is a table that LaTeX takes as it is, and a CSV file of the feature for R or SPSS.
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

import aver
from aver.features.clip_audio import AudioFeature
from aver.features.export import feature_table, write_features
from aver.features.feature import FeatureRecord, features
from aver.features.store import FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, models
from aver.settings import settings
from aver.splits import make_split
from aver.synthesis import SynthesisSettings, synthesize


@features.register("loudness")
@settings
class Loudness(AudioFeature):
    """Level of the voice in dB: mean, spread, and change per second."""

    rate_hz: int = 16000

    name = "loudness"
    source = "Our seminar"

    def from_audio(self, audio):
        """Compute the vector of one clip; the base class decodes the audio."""
        size = self.rate_hz // 20  # frames of 50 ms
        frames = audio.samples[: audio.samples.size // size * size].reshape(-1, size)
        level_db = 10 * np.log10(np.square(frames).mean(axis=1) + 1e-10)
        slope = np.polyfit(np.arange(len(level_db)) / 20, level_db, 1)[0]
        vector = np.array([level_db.mean(), level_db.std(), slope], dtype=np.float32)
        return FeatureRecord({"statistics": vector}, audio.coverage, flags=audio.flags)


@settings
class NeighborSettings:
    """Settings; they can be changed with --set or `overrides`."""

    neighbors: int = 9


@models.register("neighbors")
class Neighbors(Recognizer):
    """Predicts the share of each class among the nearest training clips."""

    name = "neighbors"
    source = "Any textbook"
    settings_type = NeighborSettings

    @cached_property
    def features(self):
        """Modality to the feature that it reads."""
        return {"audio": Loudness()}

    def _load(self, clips):
        """Vectors (clips, 3), NaN without audio, and the records."""
        records = [self.store.get(clip, self.features["audio"]) for clip in clips]
        vectors = [np.full(3, np.nan) if r.missing else r.arrays["statistics"] for r in records]
        return np.array(vectors), records

    def _fit(self, train, validation, *, seed, run_folder):
        vectors, _ = self._load(train)
        usable = np.isfinite(vectors).all(axis=1)
        labels = np.array([self.classes.index(clip.emotion) for clip in train])
        self.mean, self.std = vectors[usable].mean(axis=0), vectors[usable].std(axis=0) + 1e-6
        self.known, self.labels = (vectors[usable] - self.mean) / self.std, labels[usable]
        # The audit reads what was fitted on which subset, and whose labels were used.
        return {"fitted_on": {"scaler": ["train"]}, "labels_used": {"neighbors": ["train"]}}

    def _predict(self, clips):
        vectors, records = self._load(clips)
        distances = (((vectors - self.mean) / self.std)[:, None] - self.known[None]) ** 2
        nearest = distances.sum(axis=2).argsort(axis=1)[:, : self.settings.neighbors]
        shares = np.eye(len(self.classes))[self.labels[nearest]].mean(axis=1)  # (clips, classes)
        probabilities = 0.95 * shares + 0.05 / len(self.classes)  # none is impossible
        probabilities[~np.isfinite(vectors).all(axis=1)] = np.nan  # without audio: no prediction
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=probabilities,
            by_modality={"audio": probabilities},
            coverage={"audio": np.array([record.coverage for record in records])},
            flags=tuple((r.missing,) if r.missing else tuple(r.flags) for r in records),
        )

    def _weights(self):
        return {"mean": self.mean, "std": self.std, "known": self.known, "labels": self.labels}

    def _restore(self, weights, facts):
        self.mean, self.std = weights.pop("mean"), weights.pop("std")
        self.known, self.labels = weights.pop("known"), weights.pop("labels")


def main(folder: Path) -> None:
    root = _own_files(folder)
    pattern = "{speaker}_{emotion}_{sentence}-{take}.mp4"
    corpus = aver.open_corpus(root, "manifest", pattern=pattern)
    preset = folder / "neighbors.yaml"
    preset.write_text("model: neighbors\nsummary: Nearest neighbors\nsettings: {}\n")
    store = FeatureStore(folder / "cache")

    # What is registered in a script exists in this process only: workers=1.
    system, *baselines = aver.evaluate(
        corpus,
        str(preset),
        out=folder / "student",
        split=make_split(corpus, "speaker-kfold", folds=3),
        name="Loudness, nearest neighbors",
        corpus_title="Seminar clips",
        baselines="quick",
        store=store,
        workers=1,
    )
    for result in (system, *baselines):
        print(f"{result.evaluation.system}: {100 * result.evaluation.correct.mean():.1f} %")

    table = folder / "student" / "tables" / "comparison.tex"
    print(f"For the paper: \\input{{{table}}}")
    for written in write_features(
        feature_table(corpus.clips, Loudness(), store), folder / "loudness.csv"
    ):
        print(f"For R or SPSS: {written}")


def _own_files(folder: Path) -> Path:
    """Synthetic clips under names of our own."""
    made = SynthesisSettings(speakers=6, sentences=1, size_px=96, duration_s=(1.0, 1.2))
    source = aver.open_corpus(synthesize(folder / "student-source", made))
    root = folder / "seminar"
    root.mkdir(parents=True, exist_ok=True)
    for clip in source:
        name = f"{clip.speaker}_{clip.emotion}_{clip.sentence}-{clip.take}.mp4"
        (root / name).write_bytes(clip.video.read_bytes())
    return root


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
