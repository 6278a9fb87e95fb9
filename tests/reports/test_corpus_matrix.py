"""The matrix of training and test corpora: its cells are those of the runs, and none is pooled."""

from __future__ import annotations

import io
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from drawn_runs import drawn_run, joined_run
from sklearn.metrics import accuracy_score, f1_score, recall_score

from aver.corpora.combine import part_of
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import unweighted_recall
from aver.reports.corpus_matrix import ALL_OTHERS, corpus_tables, recall_matrix
from aver.reports.plots.charts import plot_matrix
from aver.reports.run_report import describe_run
from aver.reports.run_tables import comparison_table
from aver.reports.statements import describe_data, trained_in_words
from aver.reports.table import as_csv, as_html, as_latex

SIZES = {"one": 4, "two": 3, "three": 5}
PAIRS = {0: ["one"], 1: ["two"], 2: ["three"]}
NAMES = ["corpora-uar", "corpora-accuracy", "corpora-macro-f1", "corpora-calibration"]


def cells_of(table):
    """Estimates by system, training corpora and test corpus."""
    return {
        (row[0], row[1], column.removeprefix("test: ")): cell
        for row in table.rows
        for column, cell in zip(table.columns[2:], row[2:], strict=True)
        if cell is not None
    }


def test_the_cells_of_a_matrix_are_those_of_scikit_learn():
    run = joined_run(SIZES, PAIRS, system="ours")
    tables = {table.name: table for table in corpus_tables([run])}
    assert list(tables) == NAMES
    scores = {
        "corpora-uar": lambda t, p: recall_score(t, p, average="macro"),
        "corpora-accuracy": accuracy_score,
        "corpora-macro-f1": lambda t, p: f1_score(t, p, average="macro"),
    }
    for name, score in scores.items():
        cells = cells_of(tables[name])
        assert set(cells) == {("ours", a, b) for a in SIZES for b in SIZES if a != b}
        for (_, trained, tested), cell in cells.items():
            fold = next(fold for fold, names in PAIRS.items() if names == [trained])
            rows = run.predictions[
                (run.predictions["fold"] == fold)
                & (run.predictions["clip_id"].map(part_of) == tested)
            ]
            assert cell.value == pytest.approx(score(rows["truth"], rows["prediction"]))


def test_the_interval_of_a_cell_is_over_the_speakers_of_its_corpus():
    run = joined_run(SIZES, PAIRS)
    cell = cells_of(corpus_tables([run])[0])[("drawn", "two", "three")]
    rows = run.rows((run.folds == 1) & (run.clip_corpora == "three"))
    expected = interval(unweighted_recall(rows))
    assert expected.speakers == 5
    assert (cell.low, cell.high) == (expected.low, expected.high)


def test_leaving_one_corpus_out_is_one_row_and_other_systems_follow():
    trained = {0: ["two", "three"], 1: ["one", "three"], 2: ["one", "two"]}
    run = joined_run(SIZES, trained, system="ours")
    other = joined_run(SIZES, trained, draw=3, system="theirs")
    table = corpus_tables([run, other])[0]
    assert [row[:2] for row in table.rows] == [("ours", ALL_OTHERS), ("theirs", ALL_OTHERS)]
    assert table.columns[2:] == ("test: one", "test: two", "test: three")
    assert None not in table.rows[0]


def test_two_corpora_that_test_each_other_are_named():
    run = joined_run({"one": 3, "two": 4}, {0: ["one"], 1: ["two"]})
    assert [row[1] for row in corpus_tables([run])[0].rows] == ["one", "two"]


def test_a_diagonal_is_said_to_be_of_other_speakers():
    run = joined_run(SIZES, PAIRS)
    facts = {**run.facts["corpora"], "trained": {"0": ["one"], "1": ["two"], "2": ["two"]}}
    table = corpus_tables([replace(run, facts={"corpora": facts})])[0]
    assert not any("other speakers of it" in note for note in corpus_tables([run])[0].notes)
    assert any("other speakers of it" in note for note in table.notes)
    assert ("drawn", "two", "two") in cells_of(table)


def test_a_corpus_of_one_speaker_has_a_value_without_an_interval_and_the_note_says_why():
    run = joined_run({"one": 4, "alone": 1}, {0: ["one"]})
    table = corpus_tables([run])[0]
    ((_, cell),) = cells_of(table).items()
    assert cell.low is None
    assert table.notes[-1].startswith("No intervals: there is one speaker only")


def test_a_figure_that_is_the_same_for_all_speakers_has_no_interval_of_no_width():
    run = joined_run({"one": 3, "two": 4}, {0: ["one"]})
    always = np.tile([0.7, 0.1, 0.1, 0.1], (len(run.clip_ids), 1))  # every speaker has 3 of each
    cell = cells_of(corpus_tables([run.with_predictions(always)])[3])[("drawn", "one", "two")]
    assert (cell.value, cell.low, cell.method) == (pytest.approx(0.45), None, "none")


def test_the_plot_has_the_recalls_of_the_table_and_leaves_untested_cells_empty():
    run = joined_run(SIZES, PAIRS)
    shares, trainings, tested = recall_matrix(run)
    assert trainings == tested == ("one", "two", "three")
    assert np.isnan(np.diagonal(shares)).all()
    cells = cells_of(corpus_tables([run])[0])
    for row, trained in enumerate(trainings):
        for column, name in enumerate(tested):
            if trained != name:
                assert shares[row, column] == cells["drawn", trained, name].value
    figure = plot_matrix(shares, trainings, tested, down="d", across="a", title="t")
    assert sorted(text.get_text() for text in figure.axes[0].texts) == sorted(
        f"{100 * share:.1f}" for share in shares[np.isfinite(shares)]
    )
    assert recall_matrix(joined_run({"one": 3, "two": 3}, {0: ["one"]})) is None
    assert recall_matrix(drawn_run()) is None


def test_pages_hold_the_matrix_in_every_form():
    table = corpus_tables([joined_run(SIZES, PAIRS)])[0]
    numbers = pd.read_csv(io.StringIO(as_csv(table)))
    assert list(numbers.columns[:5]) == [
        "system",
        "trained on",
        "test: one",
        "test: one: low",
        "test: one: high",
    ]
    assert numbers.isna().to_numpy().sum() == 3 * 3  # the diagonal, with its bounds
    assert as_latex(table).count(r"\\") == 4  # head and three rows
    assert as_html(table).count("<tr>") == 4
    notes = " ".join(table.notes)
    assert "two 36 clips, 3 speakers" in notes
    assert "No cell pools corpora." in notes
    assert "Emotions: as drawn." in notes
    assert "Chance among 4 classes is 25.0 %." in notes


def test_pooled_figures_say_that_they_are_pooled():
    run = joined_run(SIZES, {0: ["one"]}, system="ours")
    (note,) = (note for note in comparison_table([run]).notes if note.startswith("Pooled"))
    assert "2 test corpora" in note
    assert "two 36, three 60 clips" in note
    assert describe_data(run).startswith("two + three: 96 clips, 8 speakers")
    assert trained_in_words(run) == "Trained on one; tested"
    assert "by test corpus" in describe_run([run])
    pairs = joined_run(SIZES, PAIRS)
    (_, trainings) = (note for note in comparison_table([pairs]).notes if note.startswith("Pooled"))
    assert trainings.startswith("Pooled over trainings on 3 sets of corpora too: a clip counts onc")
    facts = {**pairs.facts["corpora"], "trained": {"0": ["one"], "1": ["two"], "2": ["two"]}}
    own = replace(pairs, facts={"corpora": facts})
    assert "those on the test corpus included" in " ".join(comparison_table([own]).notes)
    single = joined_run({"one": 4, "two": 3}, {0: ["one"]})
    assert not any(note.startswith("Pooled") for note in comparison_table([single]).notes)


def test_a_run_on_other_corpora_has_no_row():
    run = joined_run(SIZES, PAIRS)
    others = [joined_run({"four": 3, "five": 2}, {0: ["four"]}, system="far"), drawn_run()]
    assert {row[0] for row in corpus_tables([run, *others])[0].rows} == {"drawn"}


def test_a_single_corpus_has_no_matrix():
    assert corpus_tables([drawn_run()]) == ()
    assert trained_in_words(drawn_run()) == "Trained and tested"
