"""Tables of one evaluated system and the baselines beside it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.audit.shared import pair_words
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval, interval
from aver.evaluation.metrics import METRICS, accuracy
from aver.evaluation.published import PublishedNumber, published_numbers
from aver.evaluation.summary import PROPORTIONS, Summary, interval_of_metric
from aver.reports.interval_words import interval_note
from aver.reports.run_facts import describe_data, run_notes
from aver.reports.table import Cell, Estimate, Table

METRIC_TITLES = {
    "accuracy": "accuracy in %",
    "unweighted_recall": "unweighted recall (UAR) in %",
    "macro_f1": "macro F1 in %",
    "log_loss": "log loss in nats (lower is better)",
    "brier": "Brier score, 0 to 2 (lower is better)",
    "calibration_error": "calibration error (ECE) in % (lower is better)",
}
_METHODS = {
    "t": "Student's t over speakers",
    "bootstrap": "bootstrap over speakers",
    "binomial": "binomial over clips",
    "none": "none: one speaker, or all alike, or undefined without one",
}
_IN_PERCENT = ("accuracy", "unweighted_recall", "macro_f1", "calibration_error")


def comparison_table(evaluations: Sequence[Evaluation]) -> Table:
    """Paper, paper protocol and clean protocol side by side, baselines and human raters below.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The system first.
    """
    first = evaluations[0]
    leaks = tuple(dict.fromkeys(leak for e in evaluations for leak in e.leaks))
    rows = _rows_of_systems(evaluations)
    numbers = comparable_numbers(first)
    for number in numbers:
        rows.append((_published_label(number), Estimate(number.value / 100), *[None] * 4))
    columns = ("system", "paper", "paper protocol (LEAKS)", "clean protocol", "UAR", "macro F1")
    further = ", all folds pooled; a clip counts once, with the mean over seeds"
    unknown = not first.knows_speakers
    notes = [
        interval_note(columns, rows, unknown_speakers=unknown, further=further),
        *(f"LEAKS: {leak}" for leak in leaks),
        *run_notes(evaluations),
        *_published_notes(numbers),
    ]
    title = f"Accuracy in % on {describe_data(first)}"
    return Table("comparison", title, columns, tuple(rows), tuple(notes))


def _rows_of_systems(evaluations: Sequence[Evaluation]) -> list[tuple[Cell, ...]]:
    """A row per system, shared by its leaking run and its clean one; UAR and F1 are the clean's."""
    rows: dict[str, list[Cell]] = {}
    for evaluation in evaluations:
        found = [
            Estimate.of(interval_of_metric(name, METRICS[name](evaluation), evaluation.clip_count))
            for name in PROPORTIONS
        ]
        row = rows.setdefault(evaluation.system, [evaluation.system, *[None] * 5])
        row[2 if evaluation.leaks else 3] = found[0]
        if not evaluation.leaks or row[4] is None:
            row[4:] = found[1:]
    return [tuple(row) for row in rows.values()]


def comparable_numbers(evaluation: Evaluation) -> tuple[PublishedNumber, ...]:
    """Published accuracies on the same corpus and classes, human raters included."""
    return tuple(
        number
        for number in published_numbers().values()
        if number.corpus == evaluation.corpus
        and set(number.classes) == set(evaluation.classes)
        and number.measure == "accuracy"
        and (number.by != "humans" or number.key.startswith("human/"))
    )


def _published_label(number: PublishedNumber) -> str:
    if number.by == "humans":
        return f"human raters ({number.modality})"
    return f"{number.row} [{number.paper}, {number.place}]"


def _published_notes(numbers: Sequence[PublishedNumber]) -> list[str]:
    if not numbers:
        return ["No published number over these classes of this corpus is known to aver."]
    leaks: dict[str, tuple[str, ...]] = {n.paper: n.leaks for n in numbers if n.by == "paper"}
    notes = [f"{paper} LEAKS: {' '.join(found)}" for paper, found in leaks.items() if found]
    return notes + [number.note for number in numbers if number.by == "humans" and number.note]


def metrics_table(evaluation: Evaluation, summary: Summary) -> Table:
    """All figures of the system."""
    unit = "over speakers" if evaluation.knows_speakers else "over clips, whoever speaks"
    rows = tuple(
        (
            METRIC_TITLES[name],
            Estimate.of(found, percent=name in _IN_PERCENT),
            _METHODS[found.method].replace("over speakers", unit),
        )
        for name, found in summary.metrics.items()
    )
    return Table("metrics", "All figures of the system", ("metric", "figure", "interval"), rows)


def class_table(evaluation: Evaluation, summary: Summary) -> Table:
    """Recall and precision by class, and what each class is most often taken for."""
    labels = list(summary.recall)
    rows: list[tuple[Cell, ...]] = []
    for place, (label, recall) in enumerate(summary.recall.items()):
        others = summary.confusion[place].copy()
        others[place] = 0
        taken = labels[int(others.argmax())] if others.max() > 0 else ""
        precision = Estimate(summary.precision[label])
        rows.append((label, summary.clips_of_class[label], Estimate.of(recall), precision, taken))
    columns = ("class", "clips", "recall in %", "precision in %", "most often taken for")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table("classes", "By class", columns, tuple(rows), (note,))


def speaker_table(evaluation: Evaluation, summary: Summary) -> Table | None:
    """Accuracy of each speaker, lowest first; None where nobody knows who speaks."""
    if not evaluation.knows_speakers:
        return None
    sexes = dict(zip(evaluation.speakers, evaluation.sexes, strict=True))
    rows: list[tuple[Cell, ...]] = [
        (speaker, sexes[speaker] or "", summary.clips_of_speaker[speaker], Estimate(share))
        for speaker, share in sorted(summary.speaker_accuracy.items(), key=lambda item: item[1])
    ]
    notes = tuple(
        f"{sex}: {Estimate.of(found)} % over {_over(found)}"
        for sex, found in summary.sex_accuracy.items()
    )
    columns = ("speaker", "sex", "clips", "accuracy in %")
    return Table("speakers", "By speaker, lowest first", columns, tuple(rows), notes)


def _over(found: Interval) -> str:
    speakers = pair_words(found.speakers, "speaker")
    return f"{speakers}, who score alike: over clips" if found.method == "binomial" else speakers


def modality_table(evaluation: Evaluation) -> Table | None:
    """What each modality of the system alone says; None for systems that do not tell."""
    rows: list[tuple[Cell, ...]] = []
    for name, said in evaluation.by_modality.items():
        if np.isnan(said).any(axis=1).all():
            rows.append((name, 0, None))  # no clip has it: no face in any film, for instance
            continue
        alone = evaluation.of_modality(name)
        found = interval(accuracy(alone), clips=alone.clip_count)
        rows.append((name, alone.clip_count, Estimate.of(found)))
    if not rows:
        return None
    title = "What each modality says alone, inside the system"
    columns = ("modality", "clips", "accuracy in %")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table("modalities", title, columns, tuple(rows), (note,))


def target_table(evaluation: Evaluation, summary: Summary) -> Table | None:
    """Figures of targets besides emotion; None where there are none."""
    rows: list[tuple[Cell, ...]] = []
    for name, figures in summary.targets.items():
        for metric, found in figures.items():
            percent = metric in _IN_PERCENT
            label = METRIC_TITLES.get(metric, metric)
            rows.append((name, label, Estimate.of(found, percent=percent)))
    if not rows:
        return None
    columns = ("target", "metric", "figure")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table("targets", "Targets besides emotion", columns, tuple(rows), (note,))
