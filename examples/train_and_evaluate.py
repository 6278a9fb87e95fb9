"""Train and test a recognizer on speaker-independent folds.

MRPN over functionals of face and voice is compared with the majority class and with logistic
regression and an SVM on the same functionals. Accuracies have 95 % intervals over speakers. The run
folder has the report, the predictions, the split and a checkpoint per fold.
"""

from __future__ import annotations

import sys
from pathlib import Path

import aver
from aver.features.store import FeatureStore
from aver.splits import make_split
from aver.synthesis import SynthesisSettings, synthesize


def main(folder: Path) -> None:
    settings = SynthesisSettings(speakers=6, sentences=1, size_px=96, duration_s=(1.0, 1.2))
    corpus = aver.open_corpus(synthesize(folder / "corpus", settings))
    print(f"{len(corpus)} clips, {len(corpus.speakers)} speakers, {len(corpus.classes)} emotions")

    split = make_split(corpus, "speaker-kfold", folds=3)
    results = aver.evaluate(
        corpus,
        "mrpn-statistics",
        out=folder / "run",
        split=split,
        baselines="quick",
        store=FeatureStore(folder / "cache"),
    )

    print(results)  # a table in percent; results.summary() is the same as a DataFrame
    predictions = results.predictions  # a DataFrame with one row per system and test clip
    right = (predictions["truth"] == predictions["prediction"]).rename("accuracy")
    print(right.groupby([predictions["system"], predictions["speaker"]]).mean().unstack().round(2))
    results.plot("confusion").savefig(folder / "confusion.png")
    print(f"report: {folder / 'run' / 'report.html'}")

    recognizer = aver.load(folder / "run" / "folds" / "seed-0" / "fold-00")
    print(f"{recognizer.name} predicts {', '.join(recognizer.classes)}")


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
