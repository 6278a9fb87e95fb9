"""The table of incongruent clips says who won, for all clips and class by class."""

from __future__ import annotations

import pytest

from aver.evaluation.incongruent import Incongruent
from aver.reports.incongruent_table import incongruent_table
from aver.reports.table_formats import as_text

ONE = Incongruent(("happy", "sad"), ("happy", "sad"), ("sad", "happy"), ("happy", "sad"))
TWO = Incongruent(("happy", "sad"), ("happy", "sad"), ("sad", "happy"), ("sad", "sad"))


def test_shares_are_means_over_seeds() -> None:
    table = incongruent_table([ONE, TWO], "mixed", "Mixed clips")
    rows = {row[0]: [cell.value for cell in row[1:]] for row in table.rows}
    assert rows["all clips"] == pytest.approx([0.75, 0.25, 0.0])
    assert rows["voice happy"] == pytest.approx([0.5, 0.5, 0.0])
    assert rows["face happy"] == pytest.approx([1.0, 0.0, 0.0])
    assert "50.0" in as_text(table)


def test_a_class_that_no_clip_shows_has_no_row() -> None:
    three = Incongruent(("happy", "sad", "angry"), ("happy",), ("sad",), ("angry",))
    labels = [row[0] for row in incongruent_table([three], "mixed", "Mixed clips").rows]
    assert labels == ["all clips", "voice happy", "face sad"]
