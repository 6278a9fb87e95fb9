"""Evaluations drawn at random, for tests of the statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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


def joined_run(
    corpora: Mapping[str, int],
    trained: Mapping[int, Sequence[str]],
    *,
    seeds: tuple[int, ...] = (0,),
    skill: float = 1.0,
    draw: int = 0,
    system: str = "drawn",
) -> Evaluation:
    """Clips of several corpora with so many speakers; every fold tests those it does not train on.

    The facts are those of an evaluation of joined corpora.
    """
    tables = []
    for number, (fold, names) in enumerate(trained.items()):
        tested = [name for name in corpora if name not in names]
        owners = [name for name in tested for _ in range(corpora[name])]
        run = drawn_run(
            speakers=len(owners), seeds=seeds, skill=skill, draw=draw + 97 * number, system=system
        )
        owner = {f"s{place}": name for place, name in enumerate(owners)}
        first = {f"s{place}": owners.index(name) for place, name in enumerate(owners)}
        speakers = {s: f"{owner[s]}/s{int(s[1:]) - first[s]}" for s in owner}
        table = run.predictions.assign(
            speaker=[speakers[s] for s in run.speakers],
            clip_id=[
                f"{speakers[s]}-{clip_id.partition('-')[2]}"
                for s, clip_id in zip(run.speakers, run.clip_ids, strict=True)
            ],
            fold=fold,
        )
        tables.append(table)
    facts = {
        "corpora": {
            "names": list(corpora),
            "trained": {str(fold): list(names) for fold, names in trained.items()},
            "notes": ["Emotions: as drawn."],
        }
    }
    pooled = pd.concat(tables, ignore_index=True)
    return replace(run, predictions=pooled, facts=facts, corpus=" + ".join(corpora))
