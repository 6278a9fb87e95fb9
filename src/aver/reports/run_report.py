"""The report of an evaluation: one HTML file, tables, plots, and a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.summary import Summary, summarise
from aver.execution.atomic import write_text
from aver.execution.private_paths import command_without_folders, without_folders
from aver.reports.audit_table import audit_table
from aver.reports.deep_features import plot_deep_features
from aver.reports.html_page import plot_markup, render_page
from aver.reports.model_card import write_model_card
from aver.reports.paired_table import compare_all, paired_table
from aver.reports.plots.style import save_figure
from aver.reports.reported_run import ReportedRun
from aver.reports.robustness_report import MeasuredRun, robustness_plots, robustness_tables
from aver.reports.run_facts import describe_data
from aver.reports.run_plots import run_plots
from aver.reports.run_tables import (
    METRIC_TITLES,
    class_table,
    comparison_table,
    metrics_table,
    modality_table,
    speaker_table,
    target_table,
)
from aver.reports.run_words import summary_in_words, verdict_in_words
from aver.reports.table import Estimate, Table
from aver.reports.table_formats import as_text, write_table
from aver.reports.worst_clips import picture_clips, worst_clips, worst_table
from aver.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.corpora.corpus import Corpus
    from aver.evaluation.experiment import ExperimentResult
    from aver.evaluation.paired import PairedComparison


def describe_run(evaluations: Sequence[Evaluation]) -> str:
    """A run for the terminal: verdict, words, the table of systems, and that of other targets.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The system first, then what stands beside it.

    Returns
    -------
    str
        Ends with a line break.
    """
    first, beside = evaluations[0], evaluations[1:]
    comparisons = compare_all(first, beside)
    verdict = [f"LEAKS: {leak}" for leak in first.leaks] or ["No leak declared."]
    summary = summarise(first)
    words = summary_in_words(first, summary, comparisons)
    tables = [as_text(comparison_table(evaluations))]
    if comparisons:
        tables.append(as_text(paired_table(comparisons)))
    targets = target_table(first, summary)
    if targets is not None:
        tables.append(as_text(targets))
    return "\n".join(["", *verdict, "", *words, "", *tables])


def write_run_report(
    result: ExperimentResult, beside: Sequence[ExperimentResult] = (), corpus: Corpus | None = None
) -> Path:
    """Report on a run that was made just now; see `write_report`.

    Parameters
    ----------
    result : ExperimentResult
        The system; the report goes to its folder.
    beside : sequence of ExperimentResult
        Its baselines.
    corpus : Corpus, optional
        Tells the audit who speaks.
    """
    others = [ReportedRun.of_result(entry) for entry in beside]
    return write_report(ReportedRun.of_result(result), others, result.folder, corpus=corpus)


def write_report(
    run: ReportedRun,
    beside: Sequence[ReportedRun],
    folder: Path,
    *,
    corpus: Corpus | None = None,
    media: bool = False,
    command: str = "",
) -> Path:
    """Write ``report.html``, ``model-card.md``, ``tables/`` and ``plots/``.

    Parameters
    ----------
    run : ReportedRun
        The system.
    beside : sequence of ReportedRun
        Its baselines, and other runs to compare it with.
    folder : Path
        Where everything goes.
    corpus : Corpus, optional
        Tells the audit who speaks, and where the worst clips lie.
    media : bool
        Show a frame and a spectrogram of the worst clips; share such a page only as the clips'
        licence allows.
    command : str
        What makes this very page again.

    Returns
    -------
    Path
        The HTML file: self-contained, light and dark, readable on a phone, printable.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    audit = run.audit(corpus)
    run, *beside = (entry.audited(corpus) for entry in (run, *beside))
    evaluation = run.evaluation
    others = tuple(entry.evaluation for entry in beside)
    summary = summarise(evaluation)
    comparisons = compare_all(evaluation, others)
    measured = [entry.measured for entry in (run, *beside) if entry.measured.damaged]
    worst = worst_clips(evaluation)
    tables = _tables(evaluation, others, summary, comparisons)
    others_too = any(entry is not run.measured for entry in measured)
    robustness = robustness_tables(measured, named=others_too)
    more = [audit_table(audit) if audit else None, worst_table(worst), *robustness]
    tables |= {table.name: table for table in more if table is not None}
    for table in tables.values():
        write_table(table, folder / "tables")
    plots = {}
    drawn = (
        *run_plots((evaluation, *others), summary, run.folder),
        *_further_plots(run, measured, others_too),
    )
    for name, description, figure in drawn:
        _, svg = save_figure(figure, folder / "plots" / name)
        plots[name] = plot_markup(svg, name, description)
    pictures = picture_clips(worst, corpus.by_id) if media and corpus else ()
    verdict = verdict_in_words(evaluation)
    write_model_card(run, summary, tables, verdict, folder)
    page = render_page(
        "run.html",
        {
            "title": evaluation.system,
            "data": describe_data(evaluation),
            "protocol": evaluation.protocol,
            "leaks": evaluation.leaks,
            "verdict": without_folders(verdict),
            "tiles": _tiles(summary),
            "sentences": summary_in_words(evaluation, summary, comparisons),
            "tables": tables,
            "plots": plots,
            "audit": audit.verdict if audit else "",
            "robustness": [table.name for table in robustness],
            "pictures": pictures,
            "command": command_without_folders(evaluation.facts.get("command", "")),
            "report_command": command_without_folders(command),
            "facts": _facts(evaluation, summary),
            "unusable": without_folders(run.unusable),
            "settings": run.settings_text,
            "version": __version__,
        },
    )
    target = folder / "report.html"
    write_text(target, page)
    return target


def _further_plots(
    run: ReportedRun, measured: Sequence[MeasuredRun], named: bool
) -> Iterator[tuple[str, str, Figure]]:
    """What only some systems have."""
    deep = plot_deep_features(run)
    if deep is not None:
        yield "deep-features", "Deep features of clips, neighbours beside each other", deep
    yield from robustness_plots(measured, named=named)


def _tables(
    evaluation: Evaluation,
    others: Sequence[Evaluation],
    summary: Summary,
    comparisons: Sequence[tuple[PairedComparison, float]],
) -> dict[str, Table]:
    tables = [
        comparison_table((evaluation, *others)),
        paired_table(comparisons) if comparisons else None,
        modality_table(evaluation),
        target_table(evaluation, summary),
        metrics_table(evaluation, summary),
        class_table(evaluation, summary),
        speaker_table(evaluation, summary),
    ]
    return {table.name: table for table in tables if table is not None}


def _tiles(summary: Summary) -> list[dict[str, str]]:
    tiles = []
    for name in ("accuracy", "unweighted_recall", "macro_f1"):
        found = summary.metrics[name]
        figure, _, bounds = str(Estimate.of(found)).partition(" [")
        shown = f"95 % interval {bounds.rstrip(']')}".replace(", ", " to ") if bounds else ""
        tiles.append({"title": METRIC_TITLES[name], "figure": figure, "range": shown})
    return tiles


def _facts(evaluation: Evaluation, summary: Summary) -> list[str]:
    facts: Mapping[str, Any] = evaluation.facts
    lines = []
    if facts.get("split_hash"):
        rule, digest = facts.get("split_rule", evaluation.protocol), facts["split_hash"]
        lines.append(f"Split: {rule}, hash {digest} (split.json)")
    seeds = ", ".join(f"{s} ({100 * a:.1f} %)" for s, a in summary.seed_accuracy.items())
    lines.append(f"Seeds: {seeds}; folds: {len(set(evaluation.folds.tolist()))}")
    if evaluation.parameters:
        lines.append(f"Trained parameters: {evaluation.parameters:,}")
    if evaluation.training_s is not None:
        lines.append(f"Training, all folds and seeds: {_duration(evaluation.training_s)}")
    if evaluation.prediction_s is not None:
        per_clip_ms = 1000 * evaluation.prediction_s / len(evaluation.clip_ids)
        lines.append(f"Prediction: {per_clip_ms:.1f} ms a clip, features not counted")
    return lines


def _duration(seconds: float) -> str:
    """Seconds as people say them.

    Examples
    --------
    >>> _duration(59.4), _duration(3700)
    ('59 s', '1 h 2 min')
    """
    if seconds < 60:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60} min"
