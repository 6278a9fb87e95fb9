"""The report of an evaluation: one HTML file, tables, plots, and a few lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.summary import Summary, summarize
from aver.execution.files import command_without_folders, without_folders, write_text
from aver.reports.deep_features import plot_deep_features
from aver.reports.model_card import write_model_card
from aver.reports.plots.style import inline_svg, save_figure
from aver.reports.reported_run import ReportedRun, distinct_names
from aver.reports.robustness_report import MeasuredRun, robustness_plots, robustness_tables
from aver.reports.run_plots import run_plots
from aver.reports.run_summary import summary_in_words, verdict_in_words
from aver.reports.run_tables import (
    METRIC_TITLES,
    audit_table,
    class_table,
    compare_all,
    comparison_table,
    metrics_table,
    modality_table,
    paired_table,
    speaker_table,
    target_table,
)
from aver.reports.statements import describe_data
from aver.reports.table import Estimate, Table, as_html, as_text, write_table
from aver.reports.worst_clips import image_clips, worst_clips, worst_table
from aver.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.corpora.corpus import Corpus
    from aver.evaluation.experiment import ExperimentResult
    from aver.evaluation.paired import PairedComparison


def render_page(template: str, values: Mapping[str, Any]) -> str:
    """Fill one of our templates.

    Parameters
    ----------
    template : str
        File name in ``aver/reports/templates``.
    values : mapping
        What the template names; text is escaped, plots must have gone through `plot_markup`.
    """
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("aver.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["html_table"] = lambda table: Markup(as_html(table))
    return environment.get_template(template).render(**values)


def plot_markup(svg: Path, name: str, description: str) -> Any:
    """A saved plot as markup that takes the page's colours, safe to put into a template."""
    from markupsafe import Markup

    return Markup(inline_svg(svg.read_text("utf-8"), name, description))


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
    summary = summarize(first)
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
    summary = summarize(evaluation)
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
    images = image_clips(worst, corpus.by_id) if media and corpus else ()
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
            "images": images,
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


@dataclass(frozen=True)
class WrittenReport:
    """What `report_runs` wrote.

    Parameters
    ----------
    page, card : Path
        ``report.html`` and ``model-card.md``; ``tables/`` and ``plots/`` lie beside.
    words : str
        Verdict, summary and main tables, for a terminal.
    """

    page: Path
    card: Path
    words: str


def report_runs(
    folders: Sequence[Path],
    *,
    out: Path | None = None,
    corpus: Corpus | None = None,
    media: bool = False,
    command: str = "",
) -> WrittenReport:
    """Report the first run, and compare it with the others and with its baselines.

    Parameters
    ----------
    folders : sequence of Path
        Run folders, at least one.
    out : Path, optional
        Where everything goes; default the first run's folder, with several runs ``compared/`` in
        it.
    corpus, media, command
        As for `aver.reports.run_report.write_report`.

    Returns
    -------
    WrittenReport

    Raises
    ------
    SettingsError
        If a folder holds no evaluation, or none is named.
    """
    if not folders:
        raise SettingsError("There is nothing to report: name at least one run folder.")
    first, *further = [ReportedRun.read(folder) for folder in folders]
    runs = distinct_names([first, *further, *first.baselines])
    target = out or (first.folder / "compared" if further else first.folder)
    page = write_report(runs[0], runs[1:], target, corpus=corpus, media=media, command=command)
    words = describe_run(tuple(run.audited(corpus).evaluation for run in runs))
    return WrittenReport(page, page.with_name("model-card.md"), words)
