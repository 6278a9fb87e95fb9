"""Notes below tables are true of every number in them; remarks are given once."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import drawn_run, with_columns

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.summary import summarize
from aver.reports.reported_run import ReportedRun
from aver.reports.run_report import describe_run, write_report
from aver.reports.run_tables import class_table, comparison_table, metrics_table, speaker_table
from aver.reports.statements import describe_data, interval_note, run_notes
from aver.reports.table import Estimate

ORDINARY = Estimate(0.5, 0.4, 0.6, method="t")
ALIKE = Estimate(0.25, 0.2, 0.3, method="binomial")
LACKING = Estimate(0.25, method="none")
COLUMNS = ("system", "clean", "UAR")


def nameless() -> Evaluation:
    """A run on clips of which nobody knows who speaks."""
    run = drawn_run(skill=1.5, system="nameless")
    return with_columns(run, speaker=run.clip_ids, sex=None)


def test_exceptions_are_named_by_row_and_column() -> None:
    rows = [
        ("one", ORDINARY, ORDINARY),
        ("majority", ALIKE, LACKING),
        ("paper", Estimate(0.9), None),
    ]
    said = interval_note(COLUMNS, rows, further=", all folds pooled")
    assert said.startswith("Intervals: 95 % over speakers, all folds pooled; over clips")
    assert "all speakers have the same result): majority (clean);" in said
    assert said.endswith("undefined without one of them: majority (UAR).")


def test_a_table_of_one_kind_says_that_kind_only() -> None:
    assert interval_note(COLUMNS, [("one", ORDINARY, ORDINARY)]) == (
        "Intervals: 95 % over speakers."
    )
    assert "speakers;" not in interval_note(COLUMNS, [("one", ALIKE, ALIKE)])
    assert interval_note(COLUMNS, [("one", ALIKE, ALIKE)]).startswith("Intervals: 95 % over clips")
    assert interval_note(COLUMNS, [("one", LACKING, LACKING)]).startswith(
        "No intervals: there is one speaker only"
    )


def test_many_exceptions_are_counted() -> None:
    rows = [("one", ORDINARY, ORDINARY), *((f"r{k}", ALIKE, ALIKE) for k in range(9))]
    assert "r0, r1, r2, r3, r4, r5 and 3 more." in interval_note(COLUMNS, rows)


def test_a_majority_that_scores_alike_for_everybody_is_named() -> None:
    """Twelve clips of each speaker, three of each class: one class is right for a quarter."""
    always = np.eye(4)[np.zeros(72, int)]
    run, majority = (
        drawn_run(skill=1.5),
        drawn_run().with_predictions(always, system="majority"),
    )
    note = comparison_table((run, majority)).notes[0]
    assert "all speakers have the same result): majority (clean protocol, UAR); none" in note
    assert note.endswith("majority (macro F1).")
    assert comparison_table((run,)).notes[0].startswith("Intervals: 95 % over speakers, all folds")
    alone = comparison_table((drawn_run(speakers=1),)).notes[0]
    assert alone.startswith("No intervals: there is one speaker only")


def test_unknown_speakers_are_not_counted_as_speakers() -> None:
    run = nameless()
    said = describe_run((run, replace(run, system="other")))
    assert "72 clips, speakers unknown, 1 seed" in said
    assert "Intervals: 95 % over clips, because the speakers are unknown" in said
    assert (
        "over clips, because the speakers are unknown; too narrow if a speaker has several" in said
    )
    assert "72 speakers" not in said
    assert "by speaker ranges" not in said
    summary = summarize(run)
    assert speaker_table(run, summary) is None
    assert "the speakers are unknown" in class_table(run, summary).notes[0]
    assert "over clips" in str(metrics_table(run, summary).rows[0][2])


def test_the_sexes_notes_say_so_where_everybody_scores_alike() -> None:
    run = drawn_run()
    always = run.with_predictions(np.eye(4)[run.truth_index])
    notes = speaker_table(always, summarize(always)).notes
    assert notes[0].endswith("% over 3 speakers with the same accuracy: over clips")
    assert "[90.3, 100.0]" in notes[0]
    assert speaker_table(run, summarize(run)).notes[0].endswith("% over 3 speakers")


def test_some_unknown_speakers_are_told_apart() -> None:
    run = drawn_run()
    mixed = with_columns(run, speaker=(run.clip_ids[0], run.clip_ids[1], *run.speakers[2:]))
    assert "6 speakers and 2 clips of unknown speakers" in describe_data(mixed)
    assert "6 speakers," in describe_data(run)


def test_page_and_card_do_without_speakers(tmp_path) -> None:
    run = ReportedRun(nameless(), tmp_path)
    page = write_report(run, (), tmp_path).read_text("utf-8")
    assert "Table of speakers" not in page
    assert "No speaker is in two subsets" not in page
    assert "The speaker of 72 tested clips of 72 is unknown" in page
    assert 'href="#speakers"' not in page
    card = (tmp_path / "model-card.md").read_text("utf-8")
    assert "tested on clips of unknown speakers" in card
    assert "interval over speakers" not in card


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
