"""Tables of an evaluated system and the runs that it is compared with."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from aver.audit import AuditReport
from aver.audit.finding import Finding, counted
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.incongruent import Followed, Incongruent, Side, share_following
from aver.evaluation.intervals import Interval, interval
from aver.evaluation.metrics import METRICS, accuracy
from aver.evaluation.paired import PairedComparison, compare, holm, minimum_p
from aver.evaluation.published import PublishedNumber, published_numbers
from aver.evaluation.summary import PROPORTIONS, Summary, interval_of_metric
from aver.reports.statements import (
    by_protocol,
    describe_data,
    incomparable,
    interval_note,
    pooling_note,
    run_notes,
)
from aver.reports.table import Cell, Estimate, Table


def audit_table(report: AuditReport) -> Table | None:
    """One row per kind of finding and pair of subsets, worst first; None without findings.

    Parameters
    ----------
    report : AuditReport
    """
    groups: dict[tuple[str, tuple[str, ...]], list[Finding]] = {}
    for finding in report.findings:
        groups.setdefault((finding.kind, finding.subsets), []).append(finding)
    rows: list[tuple[Cell, ...]] = []
    for found in groups.values():
        first = found[0]
        folds = [finding.fold for finding in found if finding.fold is not None]
        where = " and ".join(first.subsets) or "the whole split"
        if folds:
            where += f", {len(folds)} of {report.folds} folds"
        rows.append((str(first.level), first.about.title, where, first.message, first.about.advice))
    if not rows:
        return None
    columns = ("level", "finding", "where", "first example", "advice")
    checked = f"Checked: {' and '.join(report.checked)}."
    return Table.of("audit", f"Audit: {report.verdict}", columns, tuple(rows), (checked,))


_COLUMNS: dict[Followed, str] = {
    "voice": "emotion of the voice",
    "face": "emotion of the face",
    "neither": "neither",
}


def incongruent_table(found: Sequence[Incongruent], name: str, title: str) -> Table:
    """Shares of clips predicted as the emotion of the voice, of the face, and as neither.

    Parameters
    ----------
    found : sequence of Incongruent
        One per seed; shares are means over seeds, with intervals over speakers.
    name, title : str
    """
    labels: list[tuple[Side, str]] = [("any", "")]
    labels += [("voice", label) for label in found[0].classes]
    labels += [("face", label) for label in found[0].classes]
    rows: list[tuple[Cell, ...]] = []
    for side, label in labels:
        clips = int(found[0].chosen(side, label).sum())
        if clips:
            words = "all clips" if side == "any" else f"{side} {label}"
            shares = (share_following(found, what, side, label) for what in _COLUMNS)
            rows.append((words, *(Estimate.of(interval(share, clips=clips)) for share in shares)))
    columns = ("clips", *_COLUMNS.values())
    notes = (
        f"{len(found[0].voice)} clips of test speakers, each with the voice of one performance and "
        "the face of another performance of the same speaker; nothing is trained on such clips.",
        f"Chance is {100 / len(found[0].classes):.1f} % for the voice and for the face.",
        interval_note(columns, rows),
    )
    return Table.of(name, f"{title}. Predictions in %", columns, tuple(rows), notes)


def format_p(p: float) -> str:
    """A p value with three decimals.

    Examples
    --------
    >>> format_p(0.0312), format_p(0.00002)
    ('0.031', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def compare_all(
    evaluation: Evaluation, others: Sequence[Evaluation]
) -> tuple[tuple[PairedComparison, float], ...]:
    """Paired comparisons with every run of the same classes, each with its p value after Holm.

    Each is over the clips that both runs tested. `run_notes` names the runs that are left out.
    """
    runs = [by_protocol(evaluation, run) for run in others]
    found = [compare(evaluation, run) for run in runs if not incomparable(evaluation, run)]
    corrected = holm([comparison.p_speakers for comparison in found])
    return tuple(zip(found, corrected, strict=True))


def paired_table(comparisons: Sequence[tuple[PairedComparison, float]]) -> Table:
    """Differences between the system and the other runs."""
    rows: list[tuple[Cell, ...]] = []
    for found, corrected in comparisons:
        rows.append(
            (
                found.second,
                Estimate.of(found.difference, signed=True),
                format_p(corrected),
                format_p(found.p_speakers),
                format_p(found.p_clips),
                Estimate(found.detectable),
                found.verdict(corrected),
            )
        )
    columns = (
        "compared with",
        "difference in points",
        "p (Holm)",
        "p by speaker",
        "p by clip (naive)",
        "minimum detectable (points)",
        "verdict",
    )
    unknown = any(not found.knows_speakers for found, _ in comparisons)
    notes = [
        interval_note(columns, rows, unknown_speakers=unknown),
        "p by speaker: permutation test that swaps the two runs for whole speakers. p by clip: "
        "McNemar's test, which wrongly takes the clips of a speaker as independent. Minimum "
        "detectable: the true difference in points that these speakers show with a power of 80 % "
        "at a two-sided level of 5 %.",
    ]
    if len(comparisons) > 1:
        notes.append(
            "p (Holm) and the verdict are corrected for the number of comparisons; p by speaker "
            "and the intervals are not, so an interval without 0 can stand beside 'not "
            "significantly different'."
        )
    notes += [
        f"{found.first} against {found.second}: {_left_out(found.left_out)}."
        for found, _ in comparisons
        if found.left_out
    ]
    if len(comparisons) > 1:
        notes.append(
            f"Each interval is a 95 % interval by itself, not corrected for the {len(comparisons)} "
            "comparisons. p (Holm) and the verdict are corrected: an interval may exclude 0 "
            "although the difference is not significant among so many."
        )
    notes += notes_on_power(comparisons)
    title = "Paired differences in accuracy on the same clips"
    return Table.of("paired", title, columns, tuple(rows), tuple(notes))


def _left_out(clips: int) -> str:
    verb = "is" if clips == 1 else "are"
    return f"{counted(clips, 'clip')} that only one of the two runs tested {verb} left out"


def notes_on_power(comparisons: Sequence[tuple[PairedComparison, float]]) -> tuple[str, ...]:
    """A note if there are too few speakers for any difference to be significant."""
    if not comparisons:
        return ()
    speakers = max(found.speakers for found, _ in comparisons)  # runs may share fewer clips
    lowest = min(1.0, len(comparisons) * minimum_p(speakers))
    if lowest <= 0.05:
        return ()
    count = counted(len(comparisons), "comparison")
    return (
        f"With {counted(speakers, 'speaker')} and {count} the corrected p is never below "
        f"{lowest:.3f}: no difference can be significant at 5 %.",
    )


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
    "none": "none: one speaker only, or equal results, or undefined without one speaker",
}
_IN_PERCENT = ("accuracy", "unweighted_recall", "macro_f1", "calibration_error")


def comparison_table(evaluations: Sequence[Evaluation]) -> Table:
    """Paper, paper protocol and clean protocol side by side; baselines and human raters below.

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
        *pooling_note(first),
        *(f"LEAKS: {leak}" for leak in leaks),
        *run_notes(evaluations),
        *_published_notes(numbers),
    ]
    title = f"Accuracy in % on {describe_data(first)}"
    return Table.of("comparison", title, columns, tuple(rows), tuple(notes))


def _rows_of_systems(evaluations: Sequence[Evaluation]) -> list[tuple[Cell, ...]]:
    """One row per system for its leaking and its clean run; UAR and F1 are of the clean run."""
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
        return ["aver has no published number for these classes of this corpus."]
    leaks: dict[str, tuple[str, ...]] = {n.paper: n.leaks for n in numbers if n.by == "paper"}
    notes = [f"{paper} LEAKS: {' '.join(found)}" for paper, found in leaks.items() if found]
    return notes + [number.note for number in numbers if number.by == "humans" and number.note]


def metrics_table(evaluation: Evaluation, summary: Summary) -> Table:
    """All metrics of the system."""
    unit = "over speakers" if evaluation.knows_speakers else "over clips"
    rows = tuple(
        (
            METRIC_TITLES[name],
            Estimate.of(found, percent=name in _IN_PERCENT),
            _METHODS[found.method].replace("over speakers", unit),
        )
        for name, found in summary.metrics.items()
    )
    return Table.of("metrics", "All metrics of the system", ("metric", "value", "interval"), rows)


def class_table(evaluation: Evaluation, summary: Summary) -> Table:
    """Recall and precision by class, and the class that each is most often confused with."""
    labels = list(summary.recall)
    rows: list[tuple[Cell, ...]] = []
    for place, (label, recall) in enumerate(summary.recall.items()):
        others = summary.confusion[place].copy()
        others[place] = 0
        taken = labels[int(others.argmax())] if others.max() > 0 else ""
        precision = Estimate(summary.precision[label])
        rows.append((label, summary.clips_of_class[label], Estimate.of(recall), precision, taken))
    columns = ("class", "clips", "recall in %", "precision in %", "most often confused with")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table.of("classes", "By class", columns, tuple(rows), (note,))


def speaker_table(evaluation: Evaluation, summary: Summary) -> Table | None:
    """Accuracy of each speaker, lowest first; None if the speakers are unknown."""
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
    return Table.of("speakers", "By speaker, lowest first", columns, tuple(rows), notes)


def _over(found: Interval) -> str:
    speakers = counted(found.speakers, "speaker")
    return (
        f"{speakers} with the same accuracy: over clips" if found.method == "binomial" else speakers
    )


def modality_table(evaluation: Evaluation) -> Table | None:
    """Accuracy of each modality alone; None for systems without predictions by modality."""
    rows: list[tuple[Cell, ...]] = []
    for name, said in evaluation.by_modality.items():
        if np.isnan(said).any(axis=1).all():
            rows.append((name, 0, None))  # no clip has it, for example no face
            continue
        alone = evaluation.of_modality(name)
        found = interval(accuracy(alone), clips=alone.clip_count)
        rows.append((name, alone.clip_count, Estimate.of(found)))
    if not rows:
        return None
    title = "Predictions from each modality alone, within the system"
    columns = ("modality", "clips", "accuracy in %")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table.of("modalities", title, columns, tuple(rows), (note,))


def target_table(evaluation: Evaluation, summary: Summary) -> Table | None:
    """Metrics of targets besides emotion; None without such targets."""
    rows: list[tuple[Cell, ...]] = []
    for name, figures in summary.targets.items():
        for metric, found in figures.items():
            percent = metric in _IN_PERCENT
            label = METRIC_TITLES.get(metric, metric)
            rows.append((name, label, Estimate.of(found, percent=percent)))
    if not rows:
        return None
    columns = ("target", "metric", "value")
    note = interval_note(columns, rows, unknown_speakers=not evaluation.knows_speakers)
    return Table.of("targets", "Targets besides emotion", columns, tuple(rows), (note,))
