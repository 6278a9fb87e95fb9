"""Holm's correction equals statsmodels'."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from aver.evaluation.paired import holm


@pytest.mark.parametrize("count", range(1, 12))
def test_equals_statsmodels(count: int) -> None:
    # Rounded, so that some are equal.
    p_values = np.random.default_rng(count).random(count).round(1).tolist()
    assert holm(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_no_comparison_needs_no_correction() -> None:
    assert holm([]) == ()
