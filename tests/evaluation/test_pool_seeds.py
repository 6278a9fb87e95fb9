"""Seeds pooled: every row is kept, a clip counts once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import drawn_run

from aver.errors import SettingsError
from aver.evaluation.combine import pool_seeds
from aver.evaluation.metrics import accuracy


def test_accuracy_is_the_mean_over_seeds() -> None:
    runs = [drawn_run(seeds=(seed,), draw=seed) for seed in range(3)]
    pooled = pool_seeds(runs)
    assert pooled.seed_values == (0, 1, 2)
    assert pooled.clip_count == runs[0].clip_count
    by_hand = np.mean([run.correct.mean() for run in runs])
    assert accuracy(pooled).value == pytest.approx(by_hand)


def test_other_protocols_do_not_mix() -> None:
    run = drawn_run(seeds=(0,))
    other = replace(drawn_run(seeds=(1,)), protocol="clean: another")
    with pytest.raises(SettingsError, match="protocol"):
        pool_seeds([run, other])


def test_the_same_seed_twice_is_an_error() -> None:
    with pytest.raises(SettingsError, match="twice"):
        pool_seeds([drawn_run(seeds=(0,)), drawn_run(seeds=(0,))])
