"""Learning curves are read from what training writes."""

from __future__ import annotations

import json
from pathlib import Path

from aver.reports.plots.training import read_learning_curves


def test_reads_every_fold_in_order(tmp_path: Path) -> None:
    for name, losses in (("seed-0/fold-01", [3.0, 2.0, 2.5]), ("seed-0/fold-00", [1.0])):
        log = tmp_path / "folds" / name / "training.jsonl"
        log.parent.mkdir(parents=True)
        lines = [
            {"epoch": i + 1, "training_loss": loss, "validation_loss": loss + 1}
            for i, loss in enumerate(losses)
        ]
        log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    first, second = read_learning_curves(tmp_path)
    assert first.name == "seed-0/fold-00"
    assert second.validation_loss == (4.0, 3.0, 3.5)
    assert second.best_epoch == 2


def test_a_run_without_epochs_has_none(tmp_path: Path) -> None:
    assert read_learning_curves(tmp_path) == ()
