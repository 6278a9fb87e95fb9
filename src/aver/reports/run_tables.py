"""Tables of one evaluated system and the baselines beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.holm import holm
from aver.evaluation.intervals import interval
from aver.evaluation.metrics import accuracy, macro_f1, unweighted_recall
from aver.evaluation.paired import PairedComparison, compare
from aver.evaluation.power import smallest_p
from aver.evaluation.published import PublishedNumber, published_numbers
from aver.evaluation.summary import Summary
from aver.reports.table import Cell, Estimate, Table

METRIC_TITLES = {
    "accuracy": "accuracy in %",
    "unweighted_recall": "unweighted recall (UAR) in %",
    "macro_f1": "macro F1 in %",
    "log_loss": "log loss in nats (lower is better)",
    "brier": "Brier score, 0 to 2 (lower is better)",
    "calibration_error": "calibration error (ECE) in % (lower is better)",
}
_IN_PERCENT = ("accuracy", "unweighted_recall", "macro_f1", "calibration_error")


def describe_data(evaluation: Evaluation) -> str:
    """Corpus, clips, speakers and classes in one phrase, as every title needs it."""
    seeds = len(evaluation.seed_values)
    return (
        f"{_name_of(evaluation)}: {_count(evaluation.clip_count, 'clip')}, "
        f"{_count(len(evaluation.speaker_ids), 'speaker')}, {_count(seeds, 'seed')}, "
        f"{len(evaluation.classes)} classes ({', '.join(evaluation.classes)})"
    )


def _name_of(evaluation: Evaluation) -> str:
    """The corpus; by its title where many corpora share a reader."""
    if evaluation.corpus != "manifest":
        return evaluation.corpus
    return str(evaluation.facts.get("corpus_title", evaluation.corpus))


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def show_p(p: float) -> str:
    """A p value as it is printed.

    Examples
    --------
    >>> show_p(0.0312), show_p(0.00002)
    ('0.031', '<0.001')
    """
    return "<0.001" if p < 0.001 else f"{p:.3f}"


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
    notes = [
        "Intervals: 95 % over speakers, all folds pooled; a clip counts once, with the mean over "
        "seeds.",
        *(f"LEAKS: {leak}" for leak in leaks),
        *run_notes(evaluations),
        *_published_notes(numbers),
    ]
    columns = ("system", "paper", "paper protocol (LEAKS)", "clean protocol", "UAR", "macro F1")
    title = f"Accuracy in % on {describe_data(first)}"
    return Table("comparison", title, columns, tuple(rows), tuple(notes))


def _rows_of_systems(evaluations: Sequence[Evaluation]) -> list[tuple[Cell, ...]]:
    """A row per system, shared by its leaking run and its clean one; UAR and F1 are the clean's."""
    rows: dict[str, list[Cell]] = {}
    for evaluation in evaluations:
        found = [
            Estimate.of(interval(metric(evaluation), clips=evaluation.clip_count))
            for metric in (accuracy, unweighted_recall, macro_f1)
        ]
        row = rows.setdefault(evaluation.system, [evaluation.system, *[None] * 5])
        row[2 if evaluation.leaks else 3] = found[0]
        if not evaluation.leaks or row[4] is None:
            row[4:] = found[1:]
    return [tuple(row) for row in rows.values()]


def run_notes(evaluations: Sequence[Evaluation]) -> list[str]:
    """What to say of runs in one table that differ in clips or classes, or from their settings.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The first is what the others stand beside.
    """
    notes = []
    first = evaluations[0]
    for run in (first, *(_by_protocol(first, other) for other in evaluations[1:])):
        notes += [f"{run.system}: {remark}" for remark in run.facts.get("remarks", ())]
        lost = int(run.facts.get("left_out_clips", 0))
        if lost:
            notes.append(
                f"{run.system}: {_count(lost, 'clip')} left out that not every part could use."
            )
        if run.clip_count != first.clip_count:
            notes.append(f"{run.system}: over {_count(run.clip_count, 'clip')}.")
        why = _incomparable(first, run)
        if why:
            notes.append(f"{run.system} is not compared with {first.system}: {why}.")
    return notes


def _by_protocol(first: Evaluation, other: Evaluation) -> Evaluation:
    """The other run, its protocol in its name where it is the same system under another one."""
    if other.system != first.system or bool(other.leaks) == bool(first.leaks):
        return other
    protocol = "paper protocol, LEAKS" if other.leaks else "clean protocol"
    return replace(other, system=f"{other.system} ({protocol})")


def _incomparable(first: Evaluation, other: Evaluation) -> str:
    """Why two runs cannot be compared clip by clip; empty where they can."""
    if first.classes != other.classes:
        return "it tells other classes apart"
    return "" if set(first.clip_ids) & set(other.clip_ids) else "they have no clip in common"


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


def metrics_table(summary: Summary) -> Table:
    """All figures of the system."""
    rows = tuple(
        (METRIC_TITLES[name], Estimate.of(found, percent=name in _IN_PERCENT), found.method)
        for name, found in summary.metrics.items()
    )
    return Table("metrics", "All figures of the system", ("metric", "figure", "interval"), rows)


def class_table(summary: Summary) -> Table:
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
    return Table("classes", "By class", columns, tuple(rows))


def speaker_table(evaluation: Evaluation, summary: Summary) -> Table:
    """Accuracy of each speaker, lowest first."""
    sexes = dict(zip(evaluation.speakers, evaluation.sexes, strict=True))
    rows: list[tuple[Cell, ...]] = [
        (speaker, sexes[speaker] or "", summary.clips_of_speaker[speaker], Estimate(share))
        for speaker, share in sorted(summary.speaker_accuracy.items(), key=lambda item: item[1])
    ]
    notes = tuple(
        f"{sex}: {Estimate.of(found)} % over {found.speakers} speakers"
        for sex, found in summary.sex_accuracy.items()
    )
    columns = ("speaker", "sex", "clips", "accuracy in %")
    return Table("speakers", "By speaker, lowest first", columns, tuple(rows), notes)


def compare_all(
    evaluation: Evaluation, others: Sequence[Evaluation]
) -> tuple[tuple[PairedComparison, float], ...]:
    """Paired comparisons with every run of the same classes, each with its p value after Holm.

    Each is over the clips that both runs tested. What is left out `run_notes` tells.
    """
    runs = [_by_protocol(evaluation, run) for run in others]
    found = [compare(evaluation, run) for run in runs if not _incomparable(evaluation, run)]
    corrected = holm([comparison.p_speakers for comparison in found])
    return tuple(zip(found, corrected, strict=True))


def paired_table(comparisons: Sequence[tuple[PairedComparison, float]]) -> Table:
    """Differences of the system to the runs beside it."""
    rows: list[tuple[Cell, ...]] = []
    for found, corrected in comparisons:
        rows.append(
            (
                found.second,
                Estimate.of(found.difference, signed=True),
                show_p(corrected),
                show_p(found.p_speakers),
                show_p(found.p_clips),
                Estimate(found.smallest),
                found.verdict(corrected),
            )
        )
    columns = (
        "compared with",
        "difference in points",
        "p (Holm)",
        "p by speaker",
        "p by clip (naive)",
        "smallest showable",
        "verdict",
    )
    notes = [
        "p by speaker: the two runs are swapped within whole speakers. p by clip: McNemar, which "
        "wrongly takes clips of one speaker as independent. Smallest showable: the true difference "
        "in points that these speakers would have shown with power 80 % at two-sided 5 %.",
    ]
    notes += [
        f"{found.first} against {found.second}: {_left_out(found.left_out)}."
        for found, _ in comparisons
        if found.left_out
    ]
    notes += [_out_of_reach(comparisons)] if _out_of_reach(comparisons) else []
    title = "Paired differences in accuracy on the same clips"
    return Table("paired", title, columns, tuple(rows), tuple(notes))


def _left_out(clips: int) -> str:
    verb = "is" if clips == 1 else "are"
    return f"{_count(clips, 'clip')} that only one of the two runs tested {verb} left out"


def _out_of_reach(comparisons: Sequence[tuple[PairedComparison, float]]) -> str:
    """What to say where so few speakers cannot pass the correction at all."""
    if not comparisons:
        return ""
    speakers = comparisons[0][0].speakers
    least = min(1.0, len(comparisons) * smallest_p(speakers))
    if least <= 0.05:
        return ""
    return (
        f"With {_count(speakers, 'speaker')} and {_count(len(comparisons), 'comparison')} the "
        f"smallest p after correction is at least {least:.3f}: no difference, however large, "
        "passes at 5 %."
    )


def modality_table(evaluation: Evaluation) -> Table | None:
    """What each modality of the system alone says; None for systems that do not tell."""
    rows: list[tuple[Cell, ...]] = []
    for name in evaluation.by_modality:
        alone = evaluation.of_modality(name)
        found = interval(accuracy(alone), clips=alone.clip_count)
        rows.append((name, alone.clip_count, Estimate.of(found)))
    if not rows:
        return None
    title = "What each modality says alone, inside the system"
    return Table("modalities", title, ("modality", "clips", "accuracy in %"), tuple(rows))


def target_table(summary: Summary) -> Table | None:
    """Figures of targets besides emotion; None where there are none."""
    rows: list[tuple[Cell, ...]] = []
    for name, figures in summary.targets.items():
        for metric, found in figures.items():
            percent = metric in _IN_PERCENT
            label = METRIC_TITLES.get(metric, metric)
            rows.append((name, label, Estimate.of(found, percent=percent)))
    if not rows:
        return None
    return Table("targets", "Targets besides emotion", ("target", "metric", "figure"), tuple(rows))
