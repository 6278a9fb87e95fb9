"""How often nominal 95 % intervals over speakers hold the true figure.

Speakers are drawn from a population whose accuracy varies (logit-normal), clips from speakers;
classes differ in difficulty. The true figure is the population's. Our two methods are compared with
two that are in common use: the binomial interval over clips, and the percentile bootstrap.

    python benchmarks/interval_coverage.py [--trials 2000] [--out benchmarks/results]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import NamedTuple

import numpy as np

from aver.evaluation.intervals import (
    SpeakerSums,
    bootstrap_interval,
    divide,
    interval,
    jackknife_error,
    t_interval,
)
from aver.execution.files import write_json

SPEAKERS = (8, 24, 91)
CLIPS_PER_SPEAKER = {8: 24, 24: 60, 91: 80}
"""As in the javanese clips, RAVDESS speech and CREMA-D."""
CLASSES = 6


class Population(NamedTuple):
    """Speakers with a mean accuracy near `center` and a spread in logits."""

    center: float
    spread: float

    def recalls(self, rng: np.random.Generator, speakers: int) -> np.ndarray:
        """Probability of a correct prediction by speaker and class; shape (speakers, classes)."""
        logit = np.log(self.center / (1 - self.center))
        by_class = np.linspace(-0.8, 0.8, CLASSES)
        by_speaker = rng.normal(0, self.spread, size=(speakers, 1))
        return 1 / (1 + np.exp(-(logit + by_class + by_speaker)))


POPULATIONS = (
    Population(0.3, 0.3),
    Population(0.5, 0.5),
    Population(0.7, 0.8),
    Population(0.9, 0.5),
    Population(0.5, 0.0),
)


def draw_corpus(rng: np.random.Generator, population: Population, speakers: int) -> SpeakerSums:
    """One corpus: hits and clips per speaker and class; numbers of clips vary."""
    recalls = population.recalls(rng, speakers)
    mean_clips = CLIPS_PER_SPEAKER[speakers] / CLASSES
    clips = rng.integers(max(1, int(mean_clips * 0.8)), int(mean_clips * 1.2) + 1, recalls.shape)
    hits = rng.binomial(clips, recalls)
    return _recall_sums(hits, clips)


def _recall_sums(hits: np.ndarray, clips: np.ndarray) -> SpeakerSums:
    def formula(sums: np.ndarray) -> np.ndarray:
        return divide(sums[..., :CLASSES], sums[..., CLASSES:]).mean(axis=-1)

    names = tuple(str(index) for index in range(len(hits)))
    sums = np.concatenate([hits, clips], axis=1).astype(float)
    return SpeakerSums("unweighted_recall", names, sums, formula)


def percentile(sums: SpeakerSums, rng: np.random.Generator) -> tuple[float, float]:
    """The plain percentile bootstrap over speakers, for comparison."""
    count = len(sums.speakers)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=1000).astype(float)
    low, high = np.quantile(sums.weighted(weights), [0.025, 0.975])
    return float(low), float(high)


def binomial_normal(sums: SpeakerSums) -> tuple[float, float]:
    """The interval that counts every clip as independent, for comparison."""
    clips = sums.sums[:, CLASSES:].sum()
    reach = 1.96 * np.sqrt(sums.value * (1 - sums.value) / clips)
    return sums.value - reach, sums.value + reach


def coverage(population: Population, speakers: int, trials: int, seed: int) -> dict[str, float]:
    """Share of trials whose interval contains the true figure, and mean widths, by method."""
    rng = np.random.default_rng(seed)
    truth = float(population.recalls(rng, 400_000).mean())
    held = dict.fromkeys(("auto", "t", "bootstrap", "percentile", "clips"), 0)
    width = dict.fromkeys(held, 0.0)
    for _ in range(trials):
        sums = draw_corpus(rng, population, speakers)
        found = {
            "auto": interval(sums),
            "t": t_interval(sums),
            "bootstrap": bootstrap_interval(sums, resamples=2000, seed=int(rng.integers(2**31))),
        }
        bounds = {name: (i.low or 0.0, i.high or 0.0) for name, i in found.items()}
        bounds["percentile"] = percentile(sums, rng)
        bounds["clips"] = binomial_normal(sums)
        assert np.isfinite(jackknife_error(sums))
        for name, (low, high) in bounds.items():
            held[name] += low <= truth <= high
            width[name] += high - low
    return {
        **{f"coverage_{name}": count / trials for name, count in held.items()},
        **{f"width_{name}": total / trials for name, total in width.items()},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=2000)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "results")
    arguments = parser.parse_args()
    rows = []
    print("speakers  mean  spread |   auto      t  bootstrap | percentile  clips as independent")
    for speakers in SPEAKERS:
        for index, population in enumerate(POPULATIONS):
            found = coverage(population, speakers, arguments.trials, seed=speakers * 10 + index)
            rows.append({"speakers": speakers, **population._asdict(), **found})
            print(
                f"{speakers:8d}  {population.center:.2f}  {population.spread:6.2f} |"
                f" {found['coverage_auto']:6.1%} {found['coverage_t']:6.1%}"
                f" {found['coverage_bootstrap']:10.1%} |"
                f" {found['coverage_percentile']:10.1%} {found['coverage_clips']:11.1%}",
                flush=True,
            )
    target = arguments.out / "interval_coverage.json"
    write_json(target, {"nominal": 0.95, "trials": arguments.trials, "rows": rows})
    print(f"Written: {target}")


if __name__ == "__main__":
    main()
