"""Nested choice of settings: on validation speakers, separately for every test speaker.

For each test group (a speaker, or a fold of speakers) every candidate is trained without that group
and without one further group, which it then predicts; the candidate with the highest mean accuracy
over the further groups is chosen. A network trained without two groups serves both, so G groups
take G (G - 1) / 2 trainings per candidate. The chosen candidate is then trained without the test
group, for each of the networks and seeds, and predicts it: test groups are used once only.

    python benchmarks/nested_choice.py --corpus DIR [--corpus-settings config=javanese-av]
        [--action-units CSV --folds 5] --preset mrpn-faces --candidates FILE.yaml [--adapt speaker]
        [--networks N0 N1 N2] [--seeds 3] --out DIR

The candidates' file holds a list of mappings, settings by dotted key; the first wins ties. The
folder gets ``choice.json`` and the predictions of each network: one training per seed, and the mean
over the seeds as an ensemble; printed with paired differences to the first network and to another
study. Each training is kept, so an interrupted call resumes.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from aver.cli.arguments import parse_assignments
from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Selection
from aver.corpora.user_files import attach_action_units
from aver.evaluation.combine import FoldPredictions, concatenate_folds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation, save_evaluation
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.paired import compare
from aver.evaluation.run import digest
from aver.execution.files import write_json
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.prediction import Prediction, load_prediction, save_prediction
from aver.models.base.presets import load_preset
from aver.splits import make_split


@dataclass(frozen=True)
class Study:
    """A corpus in groups of speakers, and where its trainings are kept."""

    corpus: Corpus
    groups: tuple[frozenset[str], ...]
    preset: str
    source: FeatureSource
    content: str  # hash of the files that features are computed from, face networks included
    folder: Path

    def clips(self, groups: Sequence[int]) -> list[Clip]:
        """All clips of some groups."""
        speakers = frozenset().union(*(self.groups[group] for group in groups))
        return [clip for clip in self.corpus if clip.speaker in speakers]

    def predictions(
        self, overrides: Mapping[str, Any], left_out: Sequence[int], seed: int
    ) -> Prediction:
        """Train without some groups and predict them; one more is for validation."""
        name = digest([self.preset, dict(overrides), sorted(left_out), seed, self.content])
        path = self.folder / "trainings" / f"{name}.safetensors"
        if not path.exists():
            others = [group for group in range(len(self.groups)) if group not in left_out]
            after = min(others, key=lambda group: (group - max(left_out)) % len(self.groups))
            train = self.clips([group for group in others if group != after])
            kind, settings = load_preset(self.preset, overrides)
            model = kind(settings, self.source)
            model.fit(train, self.clips([after]), seed=seed)
            clips = [clip.without_labels() for clip in self.clips(sorted(left_out))]
            path.parent.mkdir(parents=True, exist_ok=True)
            save_prediction(model.predict(clips), path)
        return load_prediction(path)

    def accuracy(self, prediction: Prediction, group: int) -> float:
        """Share of the clips of one group that are predicted correctly."""
        truth = {clip.clip_id: clip.emotion for clip in self.clips([group])}
        hits = [
            truth[name] == label
            for name, label in zip(prediction.clip_ids, prediction.labels, strict=True)
            if name in truth
        ]
        return float(np.mean(hits))


def validation_scores(study: Study, candidates: Sequence[Mapping[str, Any]]) -> np.ndarray:
    """Mean accuracy on the further groups, ``(candidates, test groups)``."""
    count = len(study.groups)
    scores = np.zeros((len(candidates), count))
    for row, overrides in enumerate(candidates):
        for one, two in combinations(range(count), 2):
            prediction = study.predictions(overrides, (one, two), seed=0)
            scores[row, one] += study.accuracy(prediction, two) / (count - 1)
            scores[row, two] += study.accuracy(prediction, one) / (count - 1)
        print(f"validation {scores[row].mean():.3f}  {dict(overrides)}", flush=True)
    return scores


def test(
    study: Study,
    chosen: Sequence[Mapping[str, Any]],
    network: str,
    seeds: int,
    facts: Mapping[str, Any],
) -> Evaluation:
    """Each test group, predicted with its own choice of settings."""
    folds = []
    for seed in range(seeds):
        for group, overrides in enumerate(chosen):
            named = {**overrides, "network": network} if network else overrides
            prediction = study.predictions(named, (group,), seed)
            clips = study.corpus.select(list(prediction.clip_ids))
            folds.append(FoldPredictions(clips, prediction, group, seed))
    classes = folds[0].prediction.classes
    return Evaluation(
        system=f"{study.preset} {network}, settings chosen on validation speakers",
        corpus=study.corpus.label,
        protocol=f"clean{', ' + ADAPTED if facts else ''}: nested, {len(study.groups)} groups",
        classes=classes,
        **concatenate_folds(folds, classes),
        facts=dict(facts),
    )


def averaged(found: Evaluation) -> Evaluation:
    """An ensemble of several trainings: the mean of their probabilities, clip by clip."""
    rows = np.flatnonzero(found.seeds == 0)
    place = {found.clip_ids[row]: number for number, row in enumerate(rows)}
    owner = np.array([place[name] for name in found.clip_ids])
    count = len(set(found.seeds.tolist()))

    def mean(values: np.ndarray) -> np.ndarray:
        total = np.zeros((len(rows), values.shape[1]))
        np.add.at(total, owner, values)
        return total / count

    first = found.rows(rows)
    return first.with_predictions(
        mean(found.probabilities),
        by_modality={name: mean(values) for name, values in found.by_modality.items()},
        flags=first.flags,
        system=f"{found.system}, mean of {count} trainings",
    )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--corpus", type=Path, required=True)
    parser.add_argument("--corpus-settings", nargs="*", default=[])
    parser.add_argument("--action-units", type=Path)
    parser.add_argument("--folds", type=int, default=0, help="0: each speaker is a group")
    parser.add_argument("--preset", required=True)
    parser.add_argument("--candidates", type=Path, required=True)
    parser.add_argument("--adapt", default="", choices=("", "speaker"))
    parser.add_argument("--networks", nargs="+", default=["N0", "N1", "N2"])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument(
        "--against", type=Path, metavar="DIR", help="another study's folder, for paired differences"
    )
    parser.add_argument("--out", type=Path, required=True)
    return parser.parse_args()


def _study(arguments: argparse.Namespace, candidates: Sequence[Mapping[str, Any]]) -> Study:
    settings = parse_assignments(arguments.corpus_settings, "--corpus-settings")
    corpus = open_corpus(arguments.corpus, "manifest" if settings else None, **settings)
    if arguments.action_units:
        corpus = attach_action_units(
            Selection(channel="speech").apply(corpus), arguments.action_units
        )
    if arguments.folds:
        folds = make_split(corpus, "speaker-kfold", folds=arguments.folds).folds
        groups = [frozenset(str(c.speaker) for c in corpus.select(list(f.test))) for f in folds]
    else:
        groups = [frozenset({name}) for name in sorted({str(clip.speaker) for clip in corpus})]
    store = FeatureStore()
    wanted = {}
    for overrides in candidates:
        kind, resolved = load_preset(arguments.preset, overrides)
        wanted |= {f.key: f for f in kind(resolved, store).features.values()}
    store.prepare(corpus.clips, list(wanted.values()))
    source = SpeakerAdaptation(store, corpus.clips) if arguments.adapt else store
    content = digest(
        [[store.content_key(clip, feature) for clip in corpus] for feature in wanted.values()]
    )
    return Study(corpus, tuple(groups), arguments.preset, source, content, arguments.out)


def _difference(one: Evaluation, other: Evaluation) -> str:
    found = compare(one, other)
    low, high = found.difference.low, found.difference.high
    if low is None or high is None:  # the same for every speaker
        return f"minus {other.system}: {found.difference.value:+.1%} for every speaker"
    return (
        f"minus {other.system}: {found.difference.value:+.1%} [{low:+.1%}, {high:+.1%}], "
        f"p {found.p_speakers:.2g}, minimum detectable {found.detectable:.1%}: {found.verdict()}"
    )


def main() -> None:
    """Choose, test, print."""
    arguments = _arguments()
    candidates = yaml.safe_load(arguments.candidates.read_text(encoding="utf-8"))
    study = _study(arguments, candidates)
    scores = validation_scores(study, candidates)
    best = scores.argmax(axis=0)
    facts = {"adapt": "speaker", "adaptation": ADAPTED} if arguments.adapt else {}
    write_json(
        arguments.out / "choice.json",
        {
            "candidates": candidates,
            "validation": scores.tolist(),
            "groups": [sorted(group) for group in study.groups],
            "chosen": best.tolist(),
            **facts,
        },
    )
    first: dict[str, Evaluation] = {}
    for network in arguments.networks:
        word = "" if network == "-" else network
        found = test(study, [candidates[row] for row in best], word, arguments.seeds, facts)
        for kind, one in (("", found), ("-mean", averaged(found))):
            name = f"{network}{kind}"
            save_evaluation(one, arguments.out / name)
            share = interval(accuracy(one))
            print(f"{name}: {share.value:.1%} [{share.low:.1%}, {share.high:.1%}]", flush=True)
            if first.setdefault(kind, one) is not one:
                print(f"  {_difference(one, first[kind])}")
            if arguments.against and (arguments.against / name).is_dir():
                print(f"  {_difference(one, load_evaluation(arguments.against / name))}")


if __name__ == "__main__":
    main()
