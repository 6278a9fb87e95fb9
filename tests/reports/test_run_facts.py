"""What is said of several runs in one table."""

from __future__ import annotations

from dataclasses import replace

import pytest
from drawn_runs import drawn_run

from aver.evaluation.evaluation import Evaluation
from aver.reports.statements import run_notes


def run(system: str, *remarks: str) -> Evaluation:
    """The same clips for every system, so that nothing but remarks is told."""
    found = drawn_run(system=system)
    return replace(found, facts={**found.facts, "remarks": list(remarks)})


@pytest.mark.parametrize(
    ("remarked", "told"),
    [
        (("a",), "a: Said."),
        (("a", "b"), "a; b: Said."),
        (("a", "b", "c"), "all but d: Said."),
        (("a", "b", "c", "d"), "all systems: Said."),
    ],
)
def test_a_remark_is_told_once_with_its_systems(remarked: tuple[str, ...], told: str) -> None:
    runs = [run(name, *(["Said."] if name in remarked else [])) for name in "abcd"]
    assert run_notes(runs) == [told]


def test_other_remarks_stay_apart() -> None:
    assert run_notes([run("a", "One.", "Two."), run("b", "Two.")]) == [
        "a: One.",
        "all systems: Two.",
    ]
