"""A repeated table is printed as paper | paper protocol (LEAKS) | clean protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from test_reproduce import Maker, WithoutSomeFaces, mrpn

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.reproduce import ReproducedTable, RunCache, RunRequest, reproduce_table
from aver.reports.reproduction_report import describe_reproduction, write_reproduction


@pytest.fixture
def table_1(tmp_path: Path) -> ReproducedTable:
    return reproduce_table(mrpn(), "1", RunCache(tmp_path, Maker()), corpus_key="drawn")


def test_three_columns_and_everything_a_reader_must_know(table_1: ReproducedTable) -> None:
    said = describe_reproduction(table_1)
    assert "paper protocol (LEAKS)" in said
    assert "LEAKS: validation-is-test: as printed." in said
    assert "The numbers of the paper LEAK: The validation fold is the test fold" in said
    assert "for other classes and are not comparable" in said  # eight there, four drawn
    assert "Contradiction: N0 without time augmentation on RAVDESS" in said
    assert "human raters (not stated)" in said


def test_files_hold_the_numbers(table_1: ReproducedTable, tmp_path: Path) -> None:
    written = write_reproduction(table_1, tmp_path / "out")
    assert {path.suffix for path in written} == {
        ".txt", ".md", ".tex", ".csv", ".json", ".png", ".svg",
    }  # fmt: skip
    rows = json.loads((tmp_path / "out" / "mrpn-table-1.json").read_text())["rows"]
    joint = next(row for row in rows if row["row"] == "JM(T)")
    assert joint["paper"]["value"] == pytest.approx(87.56, abs=0.01)
    assert joint["clean protocol"]["low"] < joint["clean protocol"]["value"]
    folds = json.loads((tmp_path / "out" / "mrpn-table-1-folds-clean.json").read_text())
    assert folds["columns"] == ["row", "A1,2", "A3,4", "A5,6", "all"]
    printed = next(row for row in folds["rows"] if row["row"] == "JM(T), paper")
    assert printed["A1,2"]["value"] == pytest.approx(97.5)
    assert folds["notes"][0].startswith("* The joint model is below")


def test_a_fold_that_a_row_lacks_is_an_empty_cell(tmp_path: Path) -> None:
    shelf = RunCache(tmp_path / "runs", WithoutSomeFaces())
    found = reproduce_table(mrpn(), "1", shelf, corpus_key="drawn")
    write_reproduction(found, tmp_path)
    rows = json.loads((tmp_path / "mrpn-table-1-folds-clean.json").read_text())["rows"]
    faces = next(row for row in rows if row["row"] == "VM(T)")
    assert faces["A3,4"] is None
    assert faces["A5,6"]["value"] > 0


def test_table_4_has_others_without_runs(tmp_path: Path) -> None:
    found = reproduce_table(mrpn(), "4", RunCache(tmp_path, Maker()), corpus_key="drawn")
    said = describe_reproduction(found)
    assert "dual attention, LSTM (Ghaleb et al. 2019)" in said
    assert "N2, LSTM, without cross-clip pairing, ours" in said
    assert "Six classes and a random split; not comparable" in said


def test_one_protocol_alone_leaves_the_other_column_empty(tmp_path: Path) -> None:
    shelf = RunCache(tmp_path, Maker())
    found = reproduce_table(mrpn(), "1", shelf, corpus_key="drawn", protocols=("clean",))
    said = describe_reproduction(found)
    assert "clean protocol: " in said
    assert "LEAKS: validation-is-test" not in said


def test_leaks_of_some_rows_are_told_with_their_rows(tmp_path: Path) -> None:
    class SomeLeak(Maker):
        def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
            run = super().__call__(request, folder)
            edges = ("edges are made of test labels.",)
            faces = request.system.name.startswith("VM")
            return replace(run, leaks=run.leaks + edges) if run.leaks and faces else run

    found = reproduce_table(mrpn(), "1", RunCache(tmp_path, SomeLeak()), corpus_key="drawn")
    notes = {note for note in describe_reproduction(found).splitlines() if "LEAKS" in note}
    assert "  LEAKS: validation-is-test: as printed." in notes
    assert "  LEAKS in VM(NT), VM(T): edges are made of test labels." in notes
