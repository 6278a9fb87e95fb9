"""The table of incongruent clips says who won, for all clips and class by class."""

from __future__ import annotations

import pytest

from aver.evaluation.incongruent import Incongruent
from aver.reports.run_tables import incongruent_table
from aver.reports.table import as_text

WHO, VOICE, FACE = ("ann", "bob"), ("happy", "sad"), ("sad", "happy")
ONE = Incongruent(("happy", "sad"), WHO, VOICE, FACE, ("happy", "sad"))
TWO = Incongruent(("happy", "sad"), WHO, VOICE, FACE, ("sad", "sad"))


def test_shares_are_means_over_seeds() -> None:
    table = incongruent_table([ONE, TWO], "mixed", "Mixed clips")
    rows = {row[0]: [cell.value for cell in row[1:]] for row in table.rows}
    assert rows["all clips"] == pytest.approx([0.75, 0.25, 0.0])
    assert rows["voice happy"] == pytest.approx([0.5, 0.5, 0.0])
    assert rows["face happy"] == pytest.approx([1.0, 0.0, 0.0])
    assert "50.0" in as_text(table)
    # Ann's clip is answered by the voice in 50 %, Bob's in 100 %: t over two speakers, cut to 100.
    whole = next(row for row in table.rows if row[0] == "all clips")[1]
    assert whole.high == 1.0
    assert whole.low == 0.0


def test_a_class_that_no_clip_shows_has_no_row() -> None:
    three = Incongruent(("happy", "sad", "angry"), ("ann",), ("happy",), ("sad",), ("angry",))
    labels = [row[0] for row in incongruent_table([three], "mixed", "Mixed clips").rows]
    assert labels == ["all clips", "voice happy", "face sad"]
