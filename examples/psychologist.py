"""From a folder of films to a tidy table and plots, in pandas.

Films are named PERSON_CONDITION_NUMBER.mp4, here ``s01_talk-1_1.mp4``. The result is one row per
film and emotion, as R (``ggplot2``, ``lme4``) and SPSS take it, and a plot of mean probabilities by
condition. The films here are synthetic.

Such probabilities describe how a face and a voice look and sound to a model that was trained on
acted emotions. They do not measure what a person feels.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import aver
from aver.features.store import FeatureStore
from aver.synthesis import SynthesisSettings, synthesize


def main(folder: Path) -> None:
    films = _some_films(folder)
    found = aver.predict(films, store=FeatureStore(folder / "cache"))
    print(found)  # a short table; unreadable films have a row with the reason

    table = found.to_frame()
    names = table["clip"].str.extract(r"(?P<person>[^_]+)_(?P<condition>[^_]+)_(?P<number>\d+)")
    table = pd.concat([names, table], axis=1)
    unusable = table[table["emotion"] == ""]
    print(f"{len(table)} films, {len(unusable)} without a prediction")
    for clip, reason in zip(unusable["clip"], unusable["flags"], strict=True):
        print(f"{clip}: {reason}")

    tidy = (
        table[table["emotion"] != ""]
        .melt(
            id_vars=["person", "condition", "number", "clip", "flags"],
            value_vars=[column for column in table.columns if column.startswith("p ")],
            var_name="emotion",
            value_name="probability",
        )
        .assign(emotion=lambda rows: rows["emotion"].str.removeprefix("p "))
    )
    tidy.to_csv(folder / "tidy.csv", index=False)
    print(tidy.head(3).to_string(index=False))

    means = tidy.pivot_table("probability", "emotion", "condition", sort=False)
    print(means.round(3))
    figure = _plot(means)
    figure.savefig(folder / "emotions.png", dpi=120)
    print(f"table and plot: {folder / 'tidy.csv'}, {folder / 'emotions.png'}")


def _plot(means: pd.DataFrame):
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7, 3.5), layout="constrained")
    axes = figure.subplots()
    means.plot.bar(ax=axes, rot=30)
    axes.set(xlabel="", ylabel="mean probability", ylim=(0, 1))
    return figure


def _some_films(folder: Path) -> Path:
    """Synthetic films under names of this example, and a broken one."""
    settings = SynthesisSettings(
        speakers=2, emotions=("neutral", "happy"), sentences=1, size_px=96, duration_s=(0.8, 1.0)
    )
    source = aver.open_corpus(synthesize(folder / "films-source", settings))
    films = folder / "films"
    films.mkdir(parents=True, exist_ok=True)
    for number, clip in enumerate(source):
        condition = {"neutral": "talk-1", "happy": "talk-2"}[clip.emotion]
        target = films / f"{clip.speaker}_{condition}_{number}.mp4"
        target.write_bytes(clip.video.read_bytes())
    (films / "s03_talk-1_9.mp4").write_bytes(b"not a film")
    return films


if __name__ == "__main__":
    main(Path(sys.argv[1] if len(sys.argv) > 1 else "examples-run"))
