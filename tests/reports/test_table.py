"""Cells show figures as people read them."""

from __future__ import annotations

import pytest

from aver.errors import SettingsError
from aver.reports.table import Estimate, Table


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0.7124, 0.65, 0.7741), "71.2 [65.0, 77.4]"),
        (Estimate(0.5, mark="*"), "50.0*"),
        (Estimate(0.0312, -0.01, 0.0724, signed=True), "+3.1 [-1.0, +7.2]"),
        (Estimate(-0.0001, signed=True), "0.0"),
        (Estimate(1.2345, 1.0, 1.5, percent=False), "1.234 [1.000, 1.500]"),
        (Estimate(float("nan")), "–"),
    ],
)
def test_estimates(estimate: Estimate, shown: str) -> None:
    assert str(estimate) == shown


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(SettingsError, match="2 columns and a row of 1"):
        Table("x", "X", ("a", "b"), (("only",),))


def test_columns_of_figures_are_set_to_the_right() -> None:
    table = Table("x", "X", ("name", "n", "empty"), (("a", 1, None), ("b", Estimate(0.5), "")))
    assert [table.is_numeric(column) for column in range(3)] == [False, True, False]
