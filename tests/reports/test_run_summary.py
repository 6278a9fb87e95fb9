"""The sentences of a report say no more than its numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from drawn_runs import drawn_run, joined_run
from sklearn.metrics import recall_score

from aver.evaluation.cross_corpus import results_by_corpus
from aver.evaluation.summary import summarize
from aver.reports.run_summary import summary_in_words, verdict_in_words
from aver.reports.run_tables import compare_all, comparison_table, modality_table
from aver.reports.table import Estimate


def headline(predictions: np.ndarray, speakers: int = 6) -> str:
    run = drawn_run(speakers=speakers).with_predictions(predictions)
    return summary_in_words(run, summarize(run), ())[0]


def shifted(by: int, speakers: int = 6) -> np.ndarray:
    """Always the class that lies `by` places behind the true one."""
    return np.eye(4)[(drawn_run(speakers=speakers).truth_index + by) % 4]


@pytest.mark.parametrize(
    ("predictions", "speakers", "words", "never"),
    [
        (shifted(0), 6, "over clips, too narrow: all speakers have the same accuracy", "over 6"),
        (shifted(1), 6, "The accuracy is below chance.", "includes chance"),
        (shifted(0, 1), 1, "no interval: there is only one speaker", "too narrow"),
        (drawn_run(skill=0.0).probabilities, 6, "The interval includes chance", "below"),
        (drawn_run(skill=2.0).probabilities, 6, "over 6 speakers", "includes chance"),
    ],
)
def test_the_headline_names_what_its_interval_is_over(
    predictions: np.ndarray, speakers: int, words: str, never: str
) -> None:
    said = headline(predictions, speakers)
    assert words in said
    assert never not in said


@pytest.mark.parametrize(("others", "told"), [(1, False), (8, True)])
def test_too_few_speakers_for_so_many_comparisons_are_told(others: int, told: bool) -> None:
    """Six speakers swap in 2^6 ways, so that no p lies below 2 / 64."""
    run = drawn_run(skill=2.0, draw=1)
    rest = [drawn_run(skill=0.0, draw=2 + k, system=f"other {k}") for k in range(others)]
    found = compare_all(run, rest)
    said = " ".join(summary_in_words(run, summarize(run), found))
    assert ("no difference can be significant at 5 %" in said) == told


def test_a_modality_that_no_clip_has_gets_an_empty_row() -> None:
    run = drawn_run()
    lacking = np.full_like(run.probabilities, np.nan)
    table = modality_table(
        run.with_predictions(
            run.probabilities, by_modality={"video": lacking, "audio": run.probabilities}
        )
    )
    assert table.rows[0] == ("video", 0, None)
    assert table.rows[1][:2] == ("audio", 72)


def test_the_table_gives_the_same_intervals_as_the_summary() -> None:
    """One class answered always: the table must not call F1 a share of clips either."""
    predictions = np.eye(4)[np.zeros(72, int)]
    run = drawn_run().with_predictions(predictions)
    cells = comparison_table([run]).rows[0][3:6]
    names = ("accuracy", "unweighted_recall", "macro_f1")
    assert cells == tuple(Estimate.of(summarize(run).metrics[name]) for name in names)
    assert cells[2].low is None


def test_the_headline_of_pooled_corpora_names_them_and_why_it_has_no_interval() -> None:
    several = joined_run({"one": 4, "two": 3, "three": 5}, {0: ["one"]})
    said = summary_in_words(several, summarize(several), ())[0]
    assert "over 8 speakers within 2 corpora" in said
    alone = joined_run({"one": 4, "two": 1, "three": 5}, {0: ["one"]})
    said = summary_in_words(alone, summarize(alone), ())[0]
    assert "no interval: two has only one speaker" in said


def test_the_summary_gives_each_test_corpus_its_own_figure() -> None:
    pairs = joined_run({"one": 4, "two": 3, "three": 5}, {0: ["one"], 1: ["two"]})
    (said,) = (s for s in summary_in_words(pairs, summarize(pairs), ()) if "by test corpus" in s)
    recall = {
        (result.trained[0], result.tested): recall_score(
            result.evaluation.truth,
            list(result.evaluation.predictions["prediction"]),
            average="macro",
        )
        for result in results_by_corpus(pairs)
    }
    low, high = sorted((recall["one", "three"], recall["two", "three"]))
    assert said == (
        "That pools several corpora. Unweighted recall by test corpus: "
        f"two {100 * recall['one', 'two']:.1f} %, "
        f"three {100 * low:.1f} to {100 * high:.1f} %, one {100 * recall['two', 'one']:.1f} %."
    )


def test_the_verdict_says_what_test_corpora_were_used_for() -> None:
    words = "No clip of a test corpus was used before"
    across = joined_run({"one": 4, "two": 3}, {0: ["one"]})
    assert any(words in sentence for sentence in verdict_in_words(across))
    nameless = across.predictions.assign(speaker=across.clip_ids)
    unknown = replace(across, predictions=nameless)
    assert any(words in sentence for sentence in verdict_in_words(unknown))
    assert not any("may be in two subsets" in sentence for sentence in verdict_in_words(unknown))
    within = {"corpora": {**across.facts["corpora"], "trained": {"0": ["one", "two"]}}}
    for other in (drawn_run(), replace(across, facts=within)):
        assert not any(words in sentence for sentence in verdict_in_words(other))
