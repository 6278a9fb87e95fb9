"""One fold of the spiking voice recognizer: seconds of each phase, accuracy of each read-out.

    python benchmarks/snn_cross_modal.py --corpus RAVDESS --fold 0   (and 1, 2, 3, 4)
    python benchmarks/snn_cross_modal.py --summary

Trains and predicts as `aver evaluate --preset snn-audio-compact` does on five speaker-independent
folds (RAVDESS speech, six emotions), but shows the clips once for all read-outs. For comparison:
mean and standard deviation of MFCCs with logistic regression ("moments"). Seconds are processor
time on one thread, without feature extraction. ``--validation`` trains on training clips only and
predicts the validation speakers; settings were chosen by these figures. ``--summary`` pools folds
and seeds; its last column ("unseen") is for the speakers by whom no setting was chosen.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits

from aver.cli.arguments import parse_assignments
from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Selection
from aver.evaluation.intervals import Interval, SpeakerSums, interval
from aver.evaluation.paired import difference_sums, minimum_detectable_difference, sign_flip_test
from aver.features.speaker_adaptation import ADAPTED, SpeakerAdaptation
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import label_shares
from aver.models.layers.rate_coding import RateInputs
from aver.models.layers.read_out import ReadOut, ReadOutSettings, class_indices
from aver.models.snn_cross_modal.network import UnimodalNetwork
from aver.splits import make_split

EMOTIONS = ("happy", "sad", "angry", "fearful", "disgust", "surprised")
READ_OUTS = ("logistic", "selective-vote", "vote", "winner", "active-tenth")
MOMENTS = "moments"
CHOSEN_BY = (1, 2)
"""Folds that test the speakers who validate in folds 0 and 1, where settings were chosen."""
RESULTS = Path(__file__).parent / "results" / "snn_cross_modal.json"


def run_fold(
    subsets: Sequence[Sequence[Clip]], settings: Any, store: FeatureSource, seed: int, refit: bool
) -> dict[str, Any]:
    """Train on the first subset (read-outs with `refit` on the second too), predict the third."""
    train, validation, test = subsets
    clips = [*train, *validation, *test]
    inputs = RateInputs("snn-audio", {"audio": settings.layer})
    loaded = inputs.load(clips, store)
    seconds = {}
    start = time.process_time()
    inputs.fit({"audio": loaded["audio"].first(len(train))})
    rates = inputs.rates(clips, loaded)
    network = UnimodalNetwork({"audio": settings.layer}, inputs.shapes, settings, seed)
    network.learn(rates.first(len(train)))
    seconds["learn"], start = time.process_time() - start, time.process_time()
    counts = network.views(rates)["audio"].counts
    seconds["observe"], start = time.process_time() - start, time.process_time()
    classes, prior = label_shares(train)
    labels = class_indices([clip.emotion for clip in clips], classes)
    (layer,) = network.layers["audio"].layers.values()
    ends = np.cumsum([len(subset) for subset in subsets])
    groups = [
        (counts[first:last], labels[first:last])
        for first, last in zip((0, *ends[:2]), ends, strict=True)
    ]
    right: dict[str, list[int]] = {}
    for kind in READ_OUTS:
        read_out = ReadOut(ReadOutSettings(kind), layer.positions, prior)
        read_out.fit(groups[0], groups[1], refit=refit)
        predictions = read_out.probabilities(groups[2][0]).argmax(axis=1)
        right[kind] = (predictions == groups[2][1]).astype(int).tolist()
    seconds["read out"] = time.process_time() - start
    return {
        "seconds": seconds,
        "neurons": layer.neurons,
        "spikes_per_clip": float(counts.sum(axis=1).mean()),
        "right": right,
        "speakers": [clip.speaker for clip in test],
    }


def moments_right(
    subsets: Sequence[Sequence[Clip]], store: FeatureSource, refit: bool
) -> list[int]:
    """Mean and standard deviation of MFCCs and their differences, with logistic regression."""
    overrides = {
        "modalities": ["audio"], "feature_settings.audio.pitch": False, "refit": refit
    }  # fmt: skip
    kind, settings = load_preset("statistics-logistic", overrides)
    recognizer = kind(settings, store).fit(*subsets[:2])
    predicted = recognizer.predict([clip.without_labels() for clip in subsets[2]]).labels
    return [int(a == clip.emotion) for a, clip in zip(predicted, subsets[2], strict=True)]


def measure(arguments: argparse.Namespace) -> None:
    """Run one fold and add it to the results."""
    overrides = parse_assignments(arguments.set, "--set")
    _, settings = load_preset(arguments.preset, overrides)
    corpus = Selection(emotions=EMOTIONS).apply(open_corpus(arguments.corpus, "ravdess"))
    split = make_split(corpus, "speaker-kfold", folds=5)
    fold = split.folds[arguments.fold]
    subsets = [corpus.select(ids) for ids in (fold.train, fold.validation, fold.test)]
    if arguments.validation:
        subsets[2] = subsets[1]
    refit = settings.refit and not arguments.validation
    clips = list({clip.clip_id: clip for subset in subsets for clip in subset}.values())
    store: FeatureSource = FeatureStore()
    store.prepare(clips, [settings.layer.make_feature()])
    if arguments.adapt:
        store = SpeakerAdaptation(store, clips)
    with threadpool_limits(1):
        found = run_fold(subsets, settings, store, arguments.seed, refit)
        found["right"][MOMENTS] = moments_right(subsets, store, refit)
    found["seed"] = arguments.seed
    shares = {kind: f"{np.mean(right):.3f}" for kind, right in found["right"].items()}
    total = sum(found["seconds"].values())
    spikes = round(found["spikes_per_clip"])
    print(f"fold {arguments.fold}: {total:.1f} s, {spikes} spikes a clip, {shares}", flush=True)
    if not arguments.validation:
        adapted = ADAPTED if arguments.adapt else ""
        key = " ".join(filter(None, (arguments.preset, *arguments.set, adapted)))
        kept = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
        kept.setdefault(key, {})[f"fold {arguments.fold}, seed {arguments.seed}"] = found
        RESULTS.write_text(json.dumps(kept) + "\n")


def share_right(folds: Mapping[str, Any], kind: str, speakers: Sequence[str]) -> SpeakerSums:
    """Accuracy of a read-out over all folds and seeds, by speaker."""
    sums = np.zeros((len(speakers), 2))
    for fold in folds.values():
        for right, speaker in zip(fold["right"][kind], fold["speakers"], strict=True):
            if speaker in speakers:
                sums[speakers.index(speaker)] += right, 1
    formula = lambda total: total[..., 0] / total[..., 1]  # noqa: E731
    return SpeakerSums(kind, tuple(speakers), sums, formula)


def summarize() -> None:
    """Print pooled accuracies of all folds that were run, as rows of Markdown."""
    kept = json.loads(RESULTS.read_text())
    for key, folds in kept.items():
        seconds = [sum(fold["seconds"].values()) for fold in folds.values()]
        print(f"{key}: {len(folds)} folds, {np.median(seconds):.1f} s a fold (median)")
        speakers = sorted({one for fold in folds.values() for one in fold["speakers"]})
        chosen_by = {
            speaker
            for name, fold in folds.items()
            if int(name.split(",")[0].split()[1]) in CHOSEN_BY
            for speaker in fold["speakers"]
        }
        detectable = "minimum detectable difference"
        print(f"| read-out | accuracy | {MOMENTS}: difference | {detectable} | unseen |")
        for kind in (*READ_OUTS, MOMENTS):
            own, moments = (share_right(folds, name, speakers) for name in (kind, MOMENTS))
            unseen = share_right(folds, kind, [one for one in speakers if one not in chosen_by])
            row = [kind, in_percent(interval(own))]
            if kind != MOMENTS:
                apart = difference_sums(own, moments)
                p, _ = sign_flip_test(own, moments)
                row += [
                    f"{in_percent(interval(apart))}, p {p:.3f}",
                    f"{100 * minimum_detectable_difference(apart):.1f}",
                ]
            else:
                row += ["", ""]
            print("|", " | ".join([*row, in_percent(interval(unseen))]), "|")


def in_percent(found: Interval) -> str:
    """A share and its interval."""
    if found.low is None or found.high is None:
        return f"{100 * found.value:.1f}"
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def main() -> None:
    """Parse, measure or summarize."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--fold", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--preset", default="snn-audio-compact")
    parser.add_argument("--set", nargs="*", default=[])
    parser.add_argument("--validation", action="store_true")
    parser.add_argument("--adapt", action="store_true", help="uses unlabeled clips of speakers")
    parser.add_argument("--summary", action="store_true")
    arguments = parser.parse_args()
    if arguments.summary:
        summarize()
    else:
        measure(arguments)


if __name__ == "__main__":
    main()
