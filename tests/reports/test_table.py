"""Tables: every cell stays under its heading and beside its row, in every format."""

from __future__ import annotations

import io
import json
import re
import shutil
import subprocess
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest

from aver.errors import SettingsError
from aver.reports.table import (
    Estimate,
    Table,
    as_csv,
    as_html,
    as_json,
    as_latex,
    as_markdown,
    as_text,
    write_table,
)

COLUMNS = ("system", "comment", "figure", "clips")
NAMES = ("one", "two, longer", "three")


def estimate(row: int) -> Estimate:
    return Estimate(0.1 * (row + 1), 0.1 * row, 0.1 * (row + 2))


@pytest.fixture
def table() -> Table:
    """Every cell tells its row and its column; some are empty."""
    rows = [
        (name, f"c{row}" if row != 2 else "", estimate(row) if row != 1 else None, 100 + row)
        for row, name in enumerate(NAMES)
    ]
    return Table.of("demo", "Title", COLUMNS, rows, ("A note.",))


TEXTS = pd.DataFrame(
    {
        "system": NAMES,
        "comment": ["c0", "c1", ""],
        "figure": ["10.0 [0.0, 20.0]", "", "30.0 [20.0, 40.0]"],
        "clips": ["100", "101", "102"],
    }
)


@pytest.fixture
def awkward() -> Table:
    return Table.of(
        "demo",
        "Accuracy in % & more",
        ("system_name", "figure", "n"),
        (
            ("N0 | fusion", Estimate(2 / 3, 0.5, 0.8), 3),
            ("日本 100%", Estimate(float("nan")), None),
        ),
        ("LEAKS: 5 % of {it}.",),
    )


def read_text(text: str) -> pd.DataFrame:
    """Cut every line at the columns of the ruler, which has one dash per sign."""
    lines = text.splitlines()
    ruler = next(line for line in lines if re.fullmatch(r"-+(  -+)*", line))
    spans = [match.span() for match in re.finditer("-+", ruler)]
    head = lines.index(ruler) - 1
    body = [lines[head], *(line for line in lines[head + 2 :] if not line.startswith("  "))]
    cut = pd.read_fwf(io.StringIO("\n".join(body)), colspecs=spans, dtype=str, header=0)
    return cut.fillna("")


def read_markdown(text: str) -> pd.DataFrame:
    lines = [line for line in text.splitlines() if line.startswith("|")]
    frame = pd.read_csv(
        io.StringIO("\n".join([lines[0], *lines[2:]])), sep=r"\s*\|\s*", engine="python", dtype=str
    )
    return frame.iloc[:, 1:-1].fillna("")


def read_latex(text: str) -> pd.DataFrame:
    rows = [
        [cell.strip() for cell in line.removesuffix(r"\\").split("&")]
        for line in text.splitlines()
        if line.endswith(r"\\")
    ]
    return pd.DataFrame(rows[1:], columns=rows[0])


class _Rows(HTMLParser):
    """The texts of the cells of a page's table, row by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        self._in_cell = tag in ("td", "th")
        if self._in_cell:
            self.rows[-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.rows[-1][-1] += data


def read_html(text: str) -> pd.DataFrame:
    rows = _Rows(text).rows
    return pd.DataFrame(rows[1:], columns=rows[0])


def read_csv(text: str) -> pd.DataFrame:
    """The numbers, written as the other formats show them."""
    numbers = pd.read_csv(io.StringIO(text), dtype={"system": str, "comment": str, "clips": str})
    bounds = ["figure", "figure: low", "figure: high"]
    figures = [
        "" if pd.isna(row["figure"]) else str(Estimate(*row[bounds].astype(float) / 100))
        for _, row in numbers.iterrows()
    ]
    return numbers.assign(figure=figures)[list(COLUMNS)].fillna("")


def read_json(text: str) -> pd.DataFrame:
    rows = json.loads(text)["rows"]
    for row in rows:
        shares = {bound: number / 100 for bound, number in (row["figure"] or {}).items()}
        row["figure"] = str(Estimate(**shares)) if shares else ""
    return pd.DataFrame(rows).astype(str)


FORMATS = {
    "text": (as_text, read_text),
    "markdown": (as_markdown, read_markdown),
    "latex": (as_latex, read_latex),
    "html": (as_html, read_html),
    "csv": (as_csv, read_csv),
    "json": (lambda table: json.dumps(as_json(table)), read_json),
}


@pytest.mark.parametrize("name", FORMATS)
def test_every_cell_is_under_its_heading_and_in_its_row(name: str, table: Table) -> None:
    write, read = FORMATS[name]
    found = read(write(table))
    pd.testing.assert_frame_equal(
        found.reset_index(drop=True).astype(object), TEXTS.astype(object), check_column_type=False
    )


def test_numbers_are_aligned_to_the_right_and_text_to_the_left(table: Table) -> None:
    assert table.alignment == ("l", "l", "r", "r")
    lines = as_text(table).splitlines()[2:-1]
    head, ruler, body = lines[0], lines[1], lines[2:]
    spans = dict(zip(COLUMNS, (m.span() for m in re.finditer("-+", ruler)), strict=True))
    for name, side in zip(COLUMNS, table.alignment, strict=True):
        first, last = spans[name]
        for line in (head, *body):
            cell = line[first:last].ljust(last - first)
            if cell.strip():
                assert (cell[-1] if side == "r" else cell[0]) != " ", (name, line)
    rules = as_markdown(table).splitlines()[3]
    assert rules == "| --- | --- | ---: | ---: |"
    assert r"\begin{tabular}{llrr}" in as_latex(table)
    rights = re.findall(r'<t[hd][^>]*class="n"[^>]*>([^<]*)<', as_html(table))
    assert set(rights) == {"figure", "clips", *TEXTS["figure"], *TEXTS["clips"]}


def test_columns_of_numbers_only_count_as_numbers() -> None:
    rows = (("a", 1, None), ("b", Estimate(0.5), ""))
    assert Table.of("x", "X", ("name", "n", "empty"), rows).alignment == ("l", "r", "l")


def test_text_is_aligned_with_wide_signs_too(awkward: Table) -> None:
    lines = as_text(awkward).splitlines()
    heading, ruler, first = lines[2], lines[3], lines[4]
    assert ruler.index("  ") == max(len("system_name"), len("N0 | fusion"))
    assert heading.rindex("n") == first.rindex("3")
    # Each of the two signs takes two columns, so that the line is two signs shorter.
    assert len(lines[5]) == lines[4].index("66.7") + len("66.7 [50.0, 80.0]") - 2
    assert lines[-1] == "  LEAKS: 5 % of {it}."


@pytest.mark.parametrize(
    ("estimate", "shown"),
    [
        (Estimate(0.7124, 0.65, 0.7741), "71.2 [65.0, 77.4]"),
        (Estimate(0.5, mark="*"), "50.0*"),
        (Estimate(0.0312, -0.01, 0.0724, signed=True), "+3.1 [−1.0, +7.2]"),
        (Estimate(-0.0001, signed=True), "0.0"),
        (Estimate(1.2345, 1.0, 1.5, percent=False), "1.234 [1.000, 1.500]"),
        (Estimate(float("nan")), "–"),
    ],
)
def test_estimates_as_text(estimate: Estimate, shown: str) -> None:
    assert str(estimate) == shown


def test_rows_of_another_length_and_repeated_columns_are_errors() -> None:
    with pytest.raises(SettingsError, match="2 columns and a row of 1"):
        Table.of("x", "X", ("a", "b"), (("only",),))
    with pytest.raises(SettingsError, match="two columns of the same name"):
        Table.of("x", "X", ("a", "a"), ())


def test_a_table_without_rows_has_its_headings() -> None:
    empty = Table.of("x", "X", ("first heading", "second heading"), ())
    for write, _ in FORMATS.values():
        written = write(empty)
        assert "first heading" in written
        assert "second heading" in written


def test_csv_has_full_precision_and_bounds(awkward: Table) -> None:
    numbers = pd.read_csv(io.StringIO(as_csv(awkward)))
    assert numbers["figure"][0] == 100 * (2 / 3)
    assert (numbers["figure: low"][0], numbers["figure: high"][0]) == (50, 80)
    assert numbers.iloc[1, 1:].isna().all()
    assert numbers["n"][0] == 3


def test_json_has_null_for_undefined_numbers(awkward: Table) -> None:
    value = json.loads(json.dumps(as_json(awkward), allow_nan=False))
    assert value["rows"][0]["figure"] == {"value": 100 * (2 / 3), "low": 50, "high": 80}
    assert value["rows"][1]["figure"]["value"] is None


def test_markdown_keeps_its_columns(awkward: Table) -> None:
    lines = [line for line in as_markdown(awkward).splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in lines} == {4}
    assert lines[1] == "| --- | ---: | ---: |"


def test_markdown_escapes_tags_line_breaks_and_backslashes() -> None:
    table = Table.of("names", "<img src=x> | title", ("name", "figure"), (("a\nb|c\\", 1),))
    title, _, _, _, row = as_markdown(table).splitlines()
    assert "<" not in title
    assert row.startswith("| a b\\|c\\\\ |")


def test_latex_escapes_special_signs(awkward: Table) -> None:
    text = as_latex(awkward)
    assert r"system\_name & figure & n \\" in text
    assert r"Accuracy in \% \& more" in text
    assert r"LEAKS: 5 \% of \{it\}." in text
    assert text.count("{") == text.count("}")
    assert r"\begin{tabular}{lrr}" in text


def test_a_latex_row_may_start_with_a_bracket() -> None:
    table = Table.of("names", "title", ("name",), (("first",), ("[second]",)))
    assert "{}[second] \\\\" in as_latex(table)


def test_html_escapes_names() -> None:
    table = Table.of("names", 'a "b" <c>', ("<d>",), (("<script>",),), ("<e>",))
    assert not re.search("<(c|d|script|e)>", as_html(table))
    assert 'aria-label="a &quot;b&quot; &lt;c&gt;"' in as_html(table)


def test_all_formats_are_written(table: Table, tmp_path: Path) -> None:
    written = write_table(table, tmp_path / "tables")
    assert {path.suffix for path in written} == {".txt", ".md", ".tex", ".csv", ".json"}
    assert {path.name for path in written} >= {"demo.tex", "demo-plain.tex"}
    assert all(path.stat().st_size > 0 for path in written)


def test_empty_columns_are_left_out_and_empty_cells_stay(table: Table) -> None:
    rows = [(name, None, "", 1 if name == "a" else None) for name in "ab"]
    found = Table.of("x", "X", ("name", "paper", "remark", "n"), rows).without_empty_columns()
    assert found.columns == ("name", "n")
    assert table.without_empty_columns().columns == table.columns
    assert Table.of("x", "X", ("name", "n"), ()).without_empty_columns().columns == ("name", "n")


def test_a_caption_says_once_what_the_table_is_about() -> None:
    about = ("RAVDESS: 24 speakers", "Protocol: clean")
    by_class = replace(Table.of("x", "By class", ("name",), (("a",),)), about=about)
    assert by_class.caption == "By class. RAVDESS: 24 speakers. Protocol: clean."
    named = replace(by_class, title="Accuracy on RAVDESS: 24 speakers")
    assert named.caption == "Accuracy on RAVDESS: 24 speakers. Protocol: clean."
    assert r"\caption{By class. RAVDESS: 24 speakers. Protocol: clean.}" in as_latex(by_class)


WIDE = Table.of(
    "wide",
    "A table with & signs",
    ("system", "difference in points", "minimum detectable (points)", "verdict", "remark"),
    [
        (f"system_{n}", Estimate(-0.1, -0.2, 0.01, signed=True), n, "[not] different", 60 * "a b ")
        for n in range(3)
    ],
    ("Below 100 %: a note.",),
)


@pytest.mark.parametrize("booktabs", [True, False])
def test_latex_notes_are_outside_the_tabular_and_a_minus_is_one(booktabs: bool) -> None:
    text = as_latex(WIDE, booktabs=booktabs)
    assert text.index("Below 100") > text.index(r"\end{tabular}")
    assert text.index("Below 100") < text.index(r"\end{table*}")
    assert "$-$10.0 [$-$20.0, +1.0]" in text
    assert ("booktabs" in text) == (r"\toprule" in text) == booktabs
    assert (r"\hline" in text) != booktabs


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("booktabs", [True, False])
def test_wide_and_narrow_tables_fit_a_two_column_paper(booktabs: bool, tmp_path: Path) -> None:
    narrow = Table.of("narrow", "Narrow", ("system", "UAR"), (("a", Estimate(0.5, 0.4, 0.6)),))
    tables = "".join(as_latex(table, booktabs=booktabs) for table in (narrow, WIDE))
    package = r"\usepackage{booktabs}" if booktabs else ""
    (tmp_path / "paper.tex").write_text(
        rf"\documentclass[twocolumn]{{article}}{package}\begin{{document}}Text.{tables}"
        r"\end{document}",
        "utf-8",
    )
    run = subprocess.run(
        ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        errors="replace",
    )
    assert run.returncode == 0, run.stdout[-2000:]
    assert "Overfull" not in run.stdout
