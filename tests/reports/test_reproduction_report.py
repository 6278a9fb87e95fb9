"""A repeated table is printed as paper | paper protocol (LEAKS) | clean protocol."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from test_reproduce import Maker, WithoutSomeFaces, mrpn

from aver.emotions import EMOTIONS
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.reproduce import ReproducedTable, RunCache, RunRequest, reproduce_table
from aver.models.base.prediction import probability_columns
from aver.reports.reproduction_report import (
    describe_reproduction,
    reproduction_tables,
    write_reproduction,
)


@pytest.fixture
def table_1(tmp_path: Path) -> ReproducedTable:
    return reproduce_table(mrpn(), "1", RunCache(tmp_path, Maker()), corpus_key="drawn")


def test_three_columns_and_everything_a_reader_must_know(table_1: ReproducedTable) -> None:
    said = describe_reproduction(table_1)
    assert "paper protocol (LEAKS), mrpn-paper" in said
    assert "clean protocol, mrpn-paper" in said  # the numbers are for a network
    assert "LEAKS: validation-is-test: as printed." in said
    assert "The numbers of the paper LEAK: The validation fold is the test fold" in said
    assert "for other classes and are not comparable" in said  # eight there, four drawn
    assert "Contradiction: N0 without time augmentation on RAVDESS" in said
    assert "human raters" not in said  # they chose from eight


def test_files_hold_the_numbers(table_1: ReproducedTable, tmp_path: Path) -> None:
    written = write_reproduction(table_1, tmp_path / "out")
    assert {path.suffix for path in written} == {
        ".txt", ".md", ".tex", ".csv", ".json", ".png", ".svg",
    }  # fmt: skip
    rows = json.loads((tmp_path / "out" / "mrpn-table-1.json").read_text())["rows"]
    joint = next(row for row in rows if row["row"] == "JM(T)")
    assert joint["paper"]["value"] == pytest.approx(87.56, abs=0.01)
    clean = joint["clean protocol, mrpn-paper"]
    assert clean["low"] < clean["value"]
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


def test_human_raters_stand_beside_runs_over_their_classes(tmp_path: Path) -> None:
    class Eight(Maker):
        def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
            run = super().__call__(request, folder)
            others = [name for name in EMOTIONS if name not in run.classes]
            wide = run.predictions.assign(**dict.fromkeys(probability_columns(others), 0.0))
            return replace(run, classes=EMOTIONS, predictions=wide)

    found = reproduce_table(mrpn(), "1", RunCache(tmp_path, Eight()), corpus_key="drawn")
    assert "human raters (not stated)" in describe_reproduction(found)


def test_public_scripts_have_a_column_of_their_own(tmp_path: Path) -> None:
    from test_snn_cross_modal_reproduction import paper

    found = reproduce_table(paper(), "labels", RunCache(tmp_path, Maker()), corpus_key="drawn")
    (table, *_) = reproduction_tables(found)
    assert [column.partition(",")[0] for column in table.columns] == [
        "row", "paper", "paper protocol (LEAKS)", "public scripts", "clean protocol", "clean: UAR",
    ]  # fmt: skip
    assert all(cell is not None for cell in table.rows[0][2:])
    assert any("section IV-C" in note for note in table.notes)


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


def test_each_protocol_states_its_own_number_of_clips(tmp_path: Path) -> None:
    class Fewer(Maker):
        def __call__(self, request: RunRequest, folder: Path) -> Evaluation:
            run = super().__call__(request, folder)
            return run.rows(np.arange(14)) if request.protocol.kind == "paper" else run

    said = describe_reproduction(
        reproduce_table(mrpn(), "1", RunCache(tmp_path, Fewer()), corpus_key="drawn")
    )
    assert "Ours, paper protocol (LEAKS): drawn: 14 clips" in said
    assert "Ours, clean protocol: drawn: 96 clips" in said
