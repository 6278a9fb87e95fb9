"""N0 and N2 from faces and voices that never met: seeds pooled, and their paired difference.

    python benchmarks/unpaired_table.py --runs OUT [--seeds 3]

Reads the folders ``unpaired-<network>-<seed>`` that `benchmarks/pretraining_results.sh` leaves and
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
    """The answers of all seeds as one evaluation."""
    places = [runs / f"unpaired-{network}-{seed}" for seed in range(seeds)]
    return pool_seeds([load_evaluation(place / "tests" / "javanese-av") for place in places])


def shown(found: Interval) -> str:
    """In percent, or points."""
    if found.low is None or found.high is None:
        return f"{100 * found.value:.1f}"
    return f"{100 * found.value:.1f} [{100 * found.low:.1f}, {100 * found.high:.1f}]"


def difference(first: Evaluation, second: Evaluation) -> str:
    """What a paired comparison says."""
    found = compare(first, second)
    smallest = f"minimum detectable {100 * found.detectable:.1f}"
    return f"{shown(found.difference)}, p {found.p_speakers:.3f}, {smallest}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=Path, default=Path("runs/pretraining"))
    parser.add_argument("--seeds", type=int, default=3)
    arguments = parser.parse_args()
    runs = {name: pooled(arguments.runs, name, arguments.seeds) for name in NETWORKS}
    for name, run in runs.items():
        parts = {"fused": run, **{m: run.of_modality(m) for m in run.by_modality}}
        for part, predictions in parts.items():
            found = interval(accuracy(predictions), clips=predictions.clip_count)
            print(f"{name} {part}: {shown(found)}")
        print(f"{name} fused less video: {difference(run, parts['video'])}")
    print(f"N2 less N0: {difference(runs['N2'], runs['N0'])}")


if __name__ == "__main__":
    main()
