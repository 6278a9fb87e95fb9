"""Evaluations drawn at random, for tests of the statistics."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from aver.evaluation.evaluation import Evaluation
from aver.models.base.prediction import probability_columns

CLASSES = ("neutral", "happy", "sad", "angry")


def with_columns(run: Evaluation, **columns: object) -> Evaluation:
    """The run with other columns of its predictions."""
    return replace(run, predictions=run.predictions.assign(**columns))


def drawn_run(
    *,
    speakers: int = 6,
    clips: int = 12,
    seeds: tuple[int, ...] = (0,),
    skill: float = 1.0,
    draw: int = 0,
    system: str = "drawn",
) -> Evaluation:
    """Clips of several speakers; `truth` depends on nothing but the clip's number."""
    rng = np.random.default_rng(draw)
    names = [f"s{speaker}" for speaker in range(speakers) for _ in range(clips)]
    ids = [f"{name}-{index % clips:02d}" for index, name in enumerate(names)]
    truth = [CLASSES[(index * 7 + index // clips) % len(CLASSES)] for index in range(len(ids))]
    rows = []
    for _ in seeds:
        logits = rng.normal(size=(len(ids), len(CLASSES)))
        logits[np.arange(len(ids)), [CLASSES.index(label) for label in truth]] += skill
        odds = np.exp(logits)
        rows.append(odds / odds.sum(axis=1, keepdims=True))
    table = pd.DataFrame(
        {
            "clip_id": ids * len(seeds),
            "speaker": names * len(seeds),
            "sex": ["female" if int(n[1:]) % 2 else "male" for n in names] * len(seeds),
            "fold": np.tile([int(name[1:]) % 3 for name in names], len(seeds)),
            "seed": np.repeat(seeds, len(ids)),
            "truth": truth * len(seeds),
            "flags": "",
        }
    )
    table[probability_columns(CLASSES)] = np.concatenate(rows)
    return Evaluation(system, "drawn", "clean: drawn", CLASSES, table)
