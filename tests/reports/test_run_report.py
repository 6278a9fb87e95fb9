"""The report of a run: the numbers of the statistics, in one file that loads nothing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import cv2
import numpy as np
import pytest
from drawn_runs import drawn_run

from aver.evaluation.evaluation import Evaluation, TargetPredictions
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy
from aver.reports import run_report
from aver.reports.run_report import describe_run, write_run_report
from aver.reports.run_tables import compare_all, comparison_table
from aver.reports.table import Estimate
from browser import look_at, needs_browser

LEAK = "validation-is-test: the epoch is chosen on <test> clips."


@pytest.fixture
def runs() -> tuple[Evaluation, ...]:
    first = drawn_run(speakers=8, seeds=(0, 1, 2), skill=1.6, draw=1, system="mrpn <N2>")
    first = first.with_predictions(
        first.probabilities,
        by_modality={"audio": drawn_run(speakers=8, seeds=(0, 1, 2), draw=2).probabilities},
        flags=tuple(("no face",) if i % 9 == 0 else () for i in range(len(first.clip_ids))),
        facts={"command": "aver evaluate --corpus 'my clips'", "split_hash": "abc123"},
        training_s=75.0,
        prediction_s=2.0,
        parameters=1234567,
    )
    chance = drawn_run(speakers=8, skill=0.0, draw=3, system="majority")
    near = drawn_run(speakers=8, skill=1.4, draw=4, system="statistics")
    return first, chance, near


def write(runs: tuple[Evaluation, ...], folder: Path) -> str:
    experiment = pytest.importorskip("aver.evaluation.experiment")
    results = [experiment.ExperimentResult(run, folder, ()) for run in runs]
    return write_run_report(results[0], results[1:]).read_text("utf-8")


class Page(HTMLParser):
    """Collects tags, references and text; checks that tags are closed."""

    VOID = ("meta", "link", "img", "br")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag != "script"
        if tag not in self.VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href", "xlink:href", "data", "action"):
                self.references.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_the_page_is_complete_and_loads_nothing(
    runs: tuple[Evaluation, ...], tmp_path: Path
) -> None:
    text = write(runs, tmp_path)
    page = Page(text)
    assert page.open == []
    assert all(reference.startswith("#") for reference in page.references)
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert len(page.ids) == len(set(page.ids))
    style = text[text.index("<style>") : text.index("</style>")]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style
    assert 'name="viewport"' in text


def test_the_page_has_the_numbers_of_the_statistics(
    runs: tuple[Evaluation, ...], tmp_path: Path
) -> None:
    words = re.sub(r"\s+", " ", " ".join(Page(write(runs, tmp_path)).words))
    for run in runs:
        assert str(Estimate.of(interval(accuracy(run), clips=run.clip_count))) in words
    assert "mrpn <N2>" in words
    assert "No leak declared" in words
    assert "aver evaluate --corpus 'my clips'" in words
    assert "no face (32)" in words
    assert "1,234,567" in words
    tables = json.loads((tmp_path / "tables" / "comparison.json").read_text())
    assert tables["rows"][0]["clean protocol"]["value"] == 100 * accuracy(runs[0]).value
    assert (tmp_path / "plots" / "confusion.png").exists()


def test_a_leak_comes_first_and_its_numbers_are_in_their_own_column(
    runs: tuple[Evaluation, ...], tmp_path: Path
) -> None:
    first = replace(runs[0], leaks=(LEAK,))
    text = write((first, *runs[1:]), tmp_path)
    words = "".join(Page(text).words)
    assert LEAK in words
    assert words.index("LEAKS:") < words.index("Summary")
    assert "No leak declared" not in words
    row = json.loads((tmp_path / "tables" / "comparison.json").read_text())["rows"][0]
    assert row["clean protocol"] is None
    assert row["paper protocol (LEAKS)"]["value"] == 100 * accuracy(first).value


def test_the_terminal_text_names_differences_that_are_not_significant(
    runs: tuple[Evaluation, ...],
) -> None:
    said = describe_run(runs)
    assert re.search(r"It is higher than majority by \d+\.\d points", said)
    assert "not significantly different from statistics" in said
    assert "minimum detectable difference with these 8 speakers: " in said
    assert "Chance among 4 classes is 25.0 %." in said


def test_terminal_shows_targets_besides_emotion() -> None:
    run = drawn_run(speakers=8, skill=1.6)
    truth = np.tile(np.eye(2), (len(run.clip_ids) // 2, 1))
    predictions = truth.copy()
    predictions[::4] = predictions[::4, ::-1]  # one in four is wrong
    target = TargetPredictions("classification", ("normal", "strong"), truth, predictions)
    said = " ".join(
        describe_run(
            (run.with_predictions(run.probabilities, targets={"intensity": target}),)
        ).split()
    )
    assert "Targets besides emotion" in said
    assert re.search(r"intensity accuracy in % 75\.0", said)
    assert "Targets besides emotion" not in describe_run((run,))


def test_a_run_at_chance_is_named_so() -> None:
    said = describe_run((drawn_run(skill=0.0, draw=12),))
    assert "The interval includes chance: the accuracy is not significantly above it." in said


def test_one_speaker_has_no_interval_and_five_have_no_significant_difference() -> None:
    said = describe_run((drawn_run(speakers=1, clips=20),))
    assert "no interval: there is only one speaker" in said
    five = describe_run((drawn_run(speakers=5), drawn_run(speakers=5, skill=9.0, draw=3)))
    assert "the corrected p is never below 0.062" in five


def test_published_numbers_are_shown_for_the_same_classes_only() -> None:
    run = drawn_run()
    six = ("neutral", "happy", "sad", "angry", "fearful", "disgust")
    spread = run.predictions.assign(**{"p fearful": 0.0, "p disgust": 0.0})
    cremad = replace(run, corpus="cremad", classes=six, predictions=spread)
    assert "human raters (face and voice)" in describe_run((cremad,))
    assert "68.4" in describe_run((cremad,))
    four = describe_run((replace(run, corpus="cremad"),))
    assert "68.4" not in four
    assert "aver has no published number for these classes" in four


@needs_browser
def test_a_real_browser_shows_it_without_error_or_request(
    runs: tuple[Evaluation, ...], tmp_path: Path
) -> None:
    write(runs, tmp_path / "run")
    light = look_at(tmp_path / "run" / "report.html", tmp_path / "light")
    dark = look_at(tmp_path / "run" / "report.html", tmp_path / "dark", dark=True)
    assert cv2.imread(str(light))[-1, 0].min() > 200
    assert cv2.imread(str(dark))[-1, 0].max() < 60


def test_two_protocols_of_one_system_share_a_row() -> None:
    clean, other = drawn_run(skill=1.5), drawn_run(draw=5, system="other")
    leaking = replace(drawn_run(skill=2.5, draw=2), leaks=(LEAK,))
    rows = comparison_table((clean, leaking, other)).rows
    assert [row[0] for row in rows] == ["drawn", "other"]
    shown = [Estimate.of(interval(accuracy(run), clips=run.clip_count)) for run in (leaking, clean)]
    assert list(rows[0][2:4]) == shown
    assert rows[0][4] == comparison_table((clean,)).rows[0][4]
    assert "drawn (paper protocol, LEAKS)" in describe_run((clean, leaking, other))


def test_a_leaking_run_of_another_system_is_told_from_its_clean_one() -> None:
    first, clean = drawn_run(skill=1.5), drawn_run(draw=5, system="other")
    leaking = replace(drawn_run(skill=2.5, draw=2, system="other"), leaks=(LEAK,))
    compared = [found.second for found, _ in compare_all(first, (clean, leaking))]
    assert compared == ["other", "other (paper protocol, LEAKS)"]


def test_tables_can_be_used_with_screen_readers_and_keyboards(
    runs: tuple[Evaluation, ...], tmp_path: Path
) -> None:
    """Columns and rows have headings, and what scrolls can be scrolled by keys and has a name."""
    text = write(runs, tmp_path)
    regions = re.findall(
        r'<div class="scroll" role="region" aria-label="([^"]+)" tabindex="0">', text
    )
    assert len(regions) == text.count("<table>") == text.count("<caption>")
    bodies = re.findall(r"<tbody>(.*?)</tbody>", text, re.DOTALL)
    assert all(
        row.strip().startswith('<th scope="row"') for b in bodies for row in b.split("<tr>")[1:]
    )
    assert text.count("<main>") == text.count("</main>") == 1
    assert text.count('role="img" aria-label="') == text.count("<svg")


def test_text_has_enough_contrast_in_both_color_schemes() -> None:
    """Contrast of 4.5 and more, as WCAG 2.1 asks of text (1.4.3)."""
    style = (Path(run_report.__file__).parent / "templates" / "style.css").read_text()
    light, dark = (
        dict(re.findall(r"--([\w-]+): (#\w{6})", part)) for part in style.split("@media")[:2]
    )
    for colors in (light, dark):
        pairs = [("ink", "page"), ("muted", "page"), ("muted", "panel"), ("link", "page")]
        pairs += [("good", "good-page"), ("bad", "bad-page"), ("ink", "bad-page")]
        for one, other in pairs:
            bright, dim = sorted((luminance(colors[one]), luminance(colors[other])), reverse=True)
            assert (bright + 0.05) / (dim + 0.05) >= 4.5, (one, other)


def luminance(color: str) -> float:
    shares = [int(color[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
