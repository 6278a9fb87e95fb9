"""Which settings of a preset suit corpora of several sizes: accuracy on validation speakers.

The test speakers of the first of five speaker-independent folds are left out altogether. The other
speakers are cut into three groups. Each candidate is trained on at most so many clips of two groups
and predicts the third; with the setting ``refit`` it learns from its validation clips, a fifth of
the training clips, too. The table gives the mean over the three groups.

    python benchmarks/preset_sizes.py --preset mrpn-statistics \
        --candidates benchmarks/candidates/sizes-statistics.yaml \
        --corpora nemo ased --sizes 150 400 1000 3000 --out sizes.json

The candidates' file holds a mapping of names to settings by dotted key. Other presets, such as
``statistics-svm``, can be named with ``--beside``. Corpora are folders of ``$AVER_DATA``; the
modalities are those that ``aver train`` would use: of ``javanese-av`` face and audio, of RAVDESS
audio and action units, of the others audio.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Selection
from aver.corpora.user_files import attach_action_units
from aver.evaluation.modalities import deduce_modalities
from aver.execution.files import write_json
from aver.features.feature import Feature, FeatureRecord
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.presets import load_preset
from aver.splits import make_split

GROUPS = 3
MAX_PREDICTED = 300
VALIDATION_SHARE = 0.2


class Remembered:
    """A source of features that remembers them: many trainings share the same clips."""

    def __init__(self) -> None:
        self._store = FeatureStore()
        self._records: dict[tuple[str, str], FeatureRecord] = {}

    def get(self, clip: Clip, feature: Feature) -> FeatureRecord:
        """The feature of one clip."""
        key = (clip.clip_id, feature.key)
        if key not in self._records:
            self._records[key] = self._store.get(clip, feature)
        return self._records[key]


@dataclass(frozen=True)
class Part:
    """Clips to train on (validation clips apart), and clips of other speakers to predict."""

    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    predicted: tuple[Clip, ...]


def open_named(data: Path, name: str) -> Corpus:
    """A corpus of the data folder; RAVDESS with its action units."""
    if name == "javanese-av":
        return open_corpus(data / name, "manifest", config="javanese-av")
    corpus = open_corpus(data / name)
    if name == "ravdess":
        speech = Selection(channel="speech").apply(corpus)
        return attach_action_units(speech, data / "ravdess-au" / "clip_action_units.csv")
    return corpus


def parts(corpus: Corpus, size: int) -> list[Part]:
    """Three parts of the speakers that are not tested, each with at most `size` training clips."""
    tested = set(make_split(corpus, "speaker-kfold", folds=5).folds[0].test)
    known = corpus.where(lambda clip: clip.clip_id not in tested, "all are tested")
    folds = make_split(known, "speaker-kfold", folds=GROUPS).folds
    found = []
    for number, fold in enumerate(folds):
        draw = np.random.default_rng(number)
        held = known.select(list(fold.test))
        ids = set(fold.test)
        others = [clip for clip in known if clip.clip_id not in ids]
        some = [others[row] for row in draw.permutation(len(others))[:size]]
        speakers = sorted({str(clip.speaker) for clip in some})
        for_validation: set[str] = set()
        for speaker in draw.permutation(speakers):
            if sum(c.speaker in for_validation for c in some) < VALIDATION_SHARE * len(some):
                for_validation.add(str(speaker))
        rows = draw.permutation(len(held))[:MAX_PREDICTED]
        found.append(
            Part(
                tuple(clip for clip in some if clip.speaker not in for_validation),
                tuple(clip for clip in some if clip.speaker in for_validation),
                tuple(held[row] for row in rows),
            )
        )
    return found


def measure(
    preset: str, overrides: Mapping[str, Any], part: Part, source: FeatureSource
) -> dict[str, float]:
    """Train once and predict the other speakers."""
    kind, settings = load_preset(preset, overrides)
    recognizer = kind(settings, source)
    started_s = time.process_time()
    recognizer.fit(part.train, part.validation, seed=0)
    trained_s = time.process_time() - started_s
    prediction = recognizer.predict_all([clip.without_labels() for clip in part.predicted])
    truth = [clip.emotion for clip in part.predicted]
    right = [said == label for said, label in zip(prediction.labels, truth, strict=True)]
    card = recognizer.card
    return {
        "accuracy": float(np.mean(right)),
        "processor_s": trained_s,
        **({"training_accuracy": card["training_accuracy"]} if "training_accuracy" in card else {}),
    }


def study(
    corpora: Sequence[str],
    sizes: Sequence[int],
    systems: Mapping[str, tuple[str, Any]],
    data: Path,
    groups: int = GROUPS,
) -> list[dict[str, Any]]:
    """One row per corpus, size and system."""
    rows = []
    for name in corpora:
        source = Remembered()
        corpus = open_named(data, name)
        reached = 0
        for size in sorted(sizes):
            cut = parts(corpus, size)[:groups]
            trained = int(np.mean([len(p.train) + len(p.validation) for p in cut]))
            if trained == reached:  # no more clips than before
                continue
            reached = trained
            for title, (preset, overrides) in systems.items():
                wanted, _ = deduce_modalities(preset, overrides, corpus)
                found = [measure(preset, wanted, part, source) for part in cut]
                row = {
                    "corpus": name,
                    "clips": trained,
                    "system": title,
                    **{key: float(np.mean([one[key] for one in found])) for key in found[0]},
                }
                rows.append(row)
                own = row.get("training_accuracy")
                print(
                    f"{name:12} {trained:5} clips  {title:28} {row['accuracy']:6.1%}  training "
                    f"{'     -' if own is None else f'{own:6.1%}'}  {row['processor_s']:6.1f} s",
                    flush=True,
                )
    return rows


def main() -> None:
    """Measure, print, write."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data", type=Path, default=os.environ.get("AVER_DATA", "../shared/data"))
    parser.add_argument("--preset", required=True)
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--beside", nargs="*", default=["statistics-svm"])
    parser.add_argument("--corpora", nargs="+", default=["nemo", "ased"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[150, 400, 1000, 3000])
    parser.add_argument(
        "--groups", type=int, default=GROUPS, metavar="N", help="predict the first N groups only"
    )
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    candidates = yaml.safe_load(arguments.candidates.read_text(encoding="utf-8"))
    systems = {name: (name, {}) for name in arguments.beside}
    systems |= {name: (arguments.preset, changes or {}) for name, changes in candidates.items()}
    data = Path(arguments.data)
    rows = study(arguments.corpora, arguments.sizes, systems, data, arguments.groups)
    write_json(arguments.out, {"preset": arguments.preset, "candidates": candidates, "rows": rows})


if __name__ == "__main__":
    main()
