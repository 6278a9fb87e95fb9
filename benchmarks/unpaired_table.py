"""N0 and N2 trained on unpaired faces and voices: pooled over seeds, and their paired difference.

    python benchmarks/unpaired_table.py --runs OUT [--seeds 3]

Reads the folders ``unpaired-<network>-<seed>`` of `benchmarks/pretraining_results.sh` and
prints accuracies on javanese-av with 95 % intervals over speakers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from aver.evaluation.combine import pool_seeds
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.intervals import Interval, interval
from aver.evaluation.metrics import accuracy
from aver.evaluation.paired import compare

NETWORKS = ("N0", "N2")


def pooled(runs: Path, network: str, seeds: int) -> Evaluation:
    """The predictions of all seeds as one evaluation."""
    folders = [runs / f"unpaired-{network}-{seed}" for seed in range(seeds)]
    return pool_seeds([load_evaluation(run / "tests" / "javanese-av") for run in folders])


def in_percent(share: Interval) -> str:
    """The value and its bounds in percent."""
    if share.low is None or share.high is None:
        return f"{100 * share.value:.1f}"
    return f"{100 * share.value:.1f} [{100 * share.low:.1f}, {100 * share.high:.1f}]"


def difference(first: Evaluation, second: Evaluation) -> str:
    """The paired difference in accuracy with its p-value."""
    result = compare(first, second)
    detectable = f"minimum detectable {100 * result.detectable:.1f}"
    return f"{in_percent(result.difference)}, p {result.p_speakers:.3f}, {detectable}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    runs = {name: pooled(arguments.runs, name, arguments.seeds) for name in NETWORKS}
    for name, run in runs.items():
        evaluations = {"fused": run, **{m: run.of_modality(m) for m in run.by_modality}}
        for modality, evaluation in evaluations.items():
            share = interval(accuracy(evaluation), clips=evaluation.clip_count)
            print(f"{name} {modality}: {in_percent(share)}")
        print(f"{name} fused minus video: {difference(run, evaluations['video'])}")
    print(f"N2 minus N0: {difference(runs['N2'], runs['N0'])}")


if __name__ == "__main__":
    main()
