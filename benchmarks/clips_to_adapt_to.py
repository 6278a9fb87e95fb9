"""How many clips of a speaker adaptation needs: accuracy against the number of clips.

    python benchmarks/clips_to_adapt_to.py --data DIR [--draws 5]

RAVDESS speech, audio, 8 classes, five speaker-independent folds, logistic regression on functionals
(preset ``statistics-logistic``). The training speakers are adapted on all of their clips. The clips
of a test speaker are divided at random into groups of n, and each group is predicted adapted on
itself, as by ``aver predict DIR --speaker-by``; 0 stands for a recognizer trained and tested
without adaptation. No label of a test speaker is used. Results go to
``results/clips_to_adapt_to.json``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.evaluation.intervals import Interval, SpeakerSums, divide, t_interval
from aver.features.speaker_adaptation import SpeakerAdaptation
from aver.features.store import FeatureStore
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer
from aver.splits import make_split

RESULT = Path(__file__).parent / "results" / "clips_to_adapt_to.json"
COUNTS = (1, 2, 3, 4, 6, 8, 16, 32, 60)
OVERRIDES = {"modalities": ["audio"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the corpora")
    parser.add_argument("--draws", type=int, default=5, help="random divisions into groups")
    arguments = parser.parse_args()
    corpus = open_corpus(arguments.data / "ravdess", "ravdess")
    clips = {clip.clip_id: clip for clip in corpus if clip.channel == "speech" and clip.audio}
    split = make_split(replace(corpus, clips=tuple(clips.values())), "speaker-kfold", folds=5)
    store = FeatureStore()
    random = np.random.default_rng(0)
    hits: dict[int, dict[str, list[bool]]] = {count: {} for count in (0, *COUNTS)}
    for fold in split.folds:
        train, validation, test = (
            [clips[name] for name in fold.subsets()[subset]]
            for subset in ("train", "validation", "test")
        )
        plain, adapted = (_trained(store, train, validation, adapt) for adapt in (False, True))
        _count(hits[0], plain, test, test)
        for count in COUNTS:
            for _ in range(arguments.draws if count < len(test) else 1):
                groups = _grouped(test, count, random)
                adapted = adapted.with_features_from(SpeakerAdaptation(store, groups, min_clips=1))
                _count(hits[count], adapted, groups, test)
    result = {
        "corpus": corpus.label,
        "classes": list(plain.classes),
        "speakers": len(hits[0]),
        "clips": len(clips),
        "draws": arguments.draws,
        "by_clips": {
            str(count): {
                "accuracy": _figures(_interval({who: np.mean(own) for who, own in of.items()})),
                "gain": _figures(
                    _interval(
                        {who: np.mean(own) - np.mean(hits[0][who]) for who, own in of.items()}
                    )
                ),
                "speakers_that_lose": sum(
                    bool(np.mean(own) < np.mean(hits[0][who])) for who, own in of.items()
                ),
            }
            for count, of in hits.items()
        },
    }
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    print(f"{'clips':>6}{'accuracy':>22}{'gain':>22}{'speakers that lose':>20}")
    for count, row in result["by_clips"].items():
        cells = [_text(row[key]) for key in ("accuracy", "gain")]
        print(f"{count:>6}{cells[0]:>22}{cells[1]:>22}{row['speakers_that_lose']:>20}")
    print(RESULT)


def _trained(
    store: FeatureStore, train: Sequence[Clip], validation: Sequence[Clip], adapt: bool
) -> Recognizer:
    kind, settings = load_preset("statistics-logistic", OVERRIDES)
    source = SpeakerAdaptation(store, [*train, *validation]) if adapt else store
    return kind(settings, source).fit(train, validation)


def _grouped(clips: Sequence[Clip], count: int, random: np.random.Generator) -> list[Clip]:
    """Clips with the group of their speaker as speaker; an incomplete group is left out."""
    grouped = []
    for speaker in sorted({str(clip.speaker) for clip in clips}):
        own = [clip for clip in clips if clip.speaker == speaker]
        whole = max(len(own) // count, 1) * count
        for place, row in enumerate(random.permutation(len(own))[:whole]):
            grouped.append(replace(own[row], speaker=f"{speaker} {place // count}"))
    return grouped


def _count(
    hits: dict[str, list[bool]],
    recognizer: Recognizer,
    clips: Sequence[Clip],
    truth: Sequence[Clip],
) -> None:
    prediction = recognizer.predict([clip.without_labels() for clip in clips])
    known = {clip.clip_id: clip for clip in truth}
    for name, label in zip(prediction.clip_ids, prediction.labels, strict=True):
        hits.setdefault(str(known[name].speaker), []).append(label == known[name].emotion)


def _interval(by_speaker: dict[str, float]) -> Interval:
    speakers = tuple(by_speaker)
    values = np.array([[by_speaker[who], 1.0] for who in speakers])
    return t_interval(
        SpeakerSums("mean", speakers, values, lambda s: divide(s[..., 0], s[..., 1]), -1.0, 1.0)
    )


def _figures(interval: Interval) -> dict[str, float]:
    return {"value": interval.value, "low": interval.low, "high": interval.high}


def _text(figures: dict[str, float]) -> str:
    value, low, high = (100 * figures[key] for key in ("value", "low", "high"))
    return f"{value:.1f} [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main()
