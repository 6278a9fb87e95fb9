"""Add a recognizer of your own and evaluate it like the others.

A recognizer declares its features and implements `_fit` and `_predict`; saving and loading need
`_weights` and `_restore`. The base class does everything else: class shares, checks, clips without
a usable modality, checkpoints and the model card. This one assigns a clip to the nearest class
mean of its audio functionals.
"""

from __future__ import annotations

import sys
from functools import cached_property
from pathlib import Path

import numpy as np

import aver
from aver.features.audio_functionals import AudioFunctionals
from aver.features.store import FeatureStore
from aver.models.base.prediction import Prediction
from aver.models.base.recognizer import Recognizer, models
from aver.settings import settings
from aver.splits import make_split
from aver.synthesis import SynthesisSettings, synthesize


@settings
class NearestMeanSettings:
    """Settings; they can be changed with --set or `overrides`."""

    temperature: float = 1.0


@models.register("nearest-mean")
class NearestMean(Recognizer):
    """Predicts the class whose mean is nearest, in units of the standard deviation."""

    name = "nearest-mean"
    source = "Any textbook"
    settings_type = NearestMeanSettings

    @cached_property
    def features(self):
        """Modality to the feature that it reads."""
        return {"audio": AudioFunctionals()}

    def _load(self, clips):
        """One vector per clip, NaN if the clip has no audio, and the records."""
        records = [self.store.get(clip, self.features["audio"]) for clip in clips]
        size = next(len(r.arrays["statistics"]) for r in records if not r.missing)
        absent = np.full(size, np.nan)
        vectors = [absent if r.missing else r.arrays["statistics"] for r in records]
        return np.array(vectors), records

    def _fit(self, train, validation, *, seed, run_folder):
        vectors, _ = self._load(train)
        labels = np.array([clip.emotion for clip in train])
        self.mean, self.std = np.nanmean(vectors, axis=0), np.nanstd(vectors, axis=0) + 1e-6
        scaled = (vectors - self.mean) / self.std
        self.centers = np.array([np.nanmean(scaled[labels == c], axis=0) for c in self.classes])
        # The audit reads what was fitted on which subset, and whose labels were used.
        return {"fitted_on": {"scaler": ["train"]}, "labels_used": {"class means": ["train"]}}

    def _predict(self, clips):
        vectors, records = self._load(clips)
        scaled = (vectors - self.mean) / self.std  # (clips, features)
        distance = np.sqrt(((scaled[:, None] - self.centers) ** 2).mean(axis=2))
        scores = np.exp(-distance / self.settings.temperature)  # (clips, classes)
        probabilities = scores / scores.sum(axis=1, keepdims=True)
        return Prediction(
            clip_ids=tuple(clip.clip_id for clip in clips),
            classes=self.classes,
            probabilities=probabilities,  # rows of NaN become the prior, flagged
            by_modality={"audio": probabilities},
            coverage={"audio": np.array([record.coverage for record in records])},
            flags=tuple((r.missing,) if r.missing else tuple(r.flags) for r in records),
        )

    def _weights(self):
        return {"mean": self.mean, "std": self.std, "centers": self.centers}

    def _restore(self, weights, facts):
        self.mean, self.std = weights.pop("mean"), weights.pop("std")
        self.centers = weights.pop("centers")


def main(folder: Path) -> None:
    made = SynthesisSettings(speakers=6, sentences=1, size_px=96, duration_s=(1.0, 1.2))
    corpus = aver.open_corpus(synthesize(folder / "corpus", made))
    preset = folder / "nearest-mean.yaml"
    preset.write_text("model: nearest-mean\nsummary: Nearest class mean\nsettings: {}\n")
    store = FeatureStore(folder / "cache")
    split = make_split(corpus, "speaker-kfold", folds=3)

    # With workers=2 or more, other processes run this script to know the model, so that the guard
    # at its end is needed. A package makes it known with an entry point in the group "aver.models".
    results = aver.evaluate(
        corpus,
        str(preset),
        out=folder / "nearest-mean",
        split=split,
        baselines="quick",
        store=store,
        workers=1,
    )
    for result in results:
        print(f"{result.evaluation.system}: {result.evaluation.correct.mean():.1%}")

    fold = folder / "nearest-mean" / "folds" / "seed-0" / "fold-00" / "checkpoint"
    again = aver.load(fold, store)
    table = again.predict(corpus.select(split.folds[0].test)).to_frame()
    print(table[["clip", "emotion", "p happy"]].head())


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
