"""One table, five formats; each is read back by an independent reader."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from aver.reports.table import (
    Estimate,
    Table,
    as_csv,
    as_json,
    as_latex,
    as_markdown,
    as_text,
    write_table,
)


@pytest.fixture
def table() -> Table:
    return Table(
        "demo",
        "Accuracy in % & more",
        ("system_name", "figure", "n"),
        (
            ("N0 | fusion", Estimate(2 / 3, 0.5, 0.8), 3),
            ("日本 100%", Estimate(float("nan")), None),
        ),
        ("LEAKS: 5 % of {it}.",),
    )


def test_text_columns_are_aligned_also_for_wide_signs(table: Table) -> None:
    lines = as_text(table).splitlines()
    heading, ruler, first = lines[2], lines[3], lines[4]
    assert ruler.index("  ") == max(len("system_name"), len("N0 | fusion"))
    assert heading.rindex("n") == first.rindex("3")
    assert lines[-1] == "  LEAKS: 5 % of {it}."


def test_csv_holds_full_precision_and_bounds(table: Table) -> None:
    rows = list(csv.DictReader(io.StringIO(as_csv(table))))
    assert float(rows[0]["figure"]) == 2 / 3
    assert (rows[0]["figure: low"], rows[0]["figure: high"]) == ("0.5", "0.8")
    assert rows[1]["figure"] == ""
    assert rows[0]["n"] == "3"


def test_json_has_null_for_what_is_undefined(table: Table) -> None:
    value = json.loads(json.dumps(as_json(table), allow_nan=False))
    assert value["rows"][0]["figure"] == {"value": 2 / 3, "low": 0.5, "high": 0.8}
    assert value["rows"][1]["figure"]["value"] is None


def test_markdown_keeps_its_columns(table: Table) -> None:
    lines = [line for line in as_markdown(table).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}
    assert lines[1] == "| --- | ---: | ---: |"


def test_latex_escapes_every_special_sign(table: Table) -> None:
    text = as_latex(table)
    assert r"system\_name & figure & n \\" in text
    assert r"Accuracy in \% \& more" in text
    assert r"LEAKS: 5 \% of \{it\}." in text
    assert text.count("{") == text.count("}")
    assert r"\begin{tabular}{lrr}" in text


def test_all_formats_are_written(table: Table, tmp_path: Path) -> None:
    written = write_table(table, tmp_path / "tables")
    assert {path.suffix for path in written} == {".txt", ".md", ".tex", ".csv", ".json"}
    assert all(path.stat().st_size > 0 for path in written)


def test_markdown_takes_neither_tags_nor_line_breaks_nor_escapes_from_names() -> None:
    table = Table("names", "<img src=x> | title", ("name", "figure"), (("a\nb|c\\", 1.0),))
    title, _, _, _, row = as_markdown(table).splitlines()
    assert "<" not in title
    assert row.startswith("| a b\\|c\\\\ |")


def test_a_latex_row_may_begin_with_a_bracket() -> None:
    table = Table("names", "title", ("name",), (("first",), ("[second]",)))
    assert "  {}[second] \\\\" in as_latex(table)
