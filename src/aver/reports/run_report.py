"""The report of an evaluation: one HTML file, a model card, tables, plots, and text."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.errors import SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.summary import Summary, summarize
from aver.execution.clip_work import reading
from aver.execution.files import command_without_folders, without_folders, write_text
from aver.execution.progress import duration
from aver.reports.corpus_matrix import corpus_tables
from aver.reports.model_card import write_model_card
from aver.reports.plots.style import inline_svg, save_figure
from aver.reports.reported_run import ReportedRun, distinct_names, read_others
from aver.reports.robustness_report import MeasuredRun, robustness_plots, robustness_tables
from aver.reports.run_plots import plot_deep_features, run_plots
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
from aver.reports.statements import by_protocol, describe_data
from aver.reports.table import Estimate, Table, as_html, as_text, write_table
from aver.reports.worst_clips import image_clips, worst_clips, worst_table
from aver.version import __version__

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from aver.corpora.corpus import Corpus
    from aver.evaluation.experiment import ExperimentResult
    from aver.evaluation.paired import PairedComparison


@dataclass(frozen=True, repr=False)
class WrittenReport:
    """What `report_runs` wrote.

    Parameters
    ----------
    page, card : Path
        ``report.html`` and ``model-card.md``; ``tables/`` and ``plots/`` are in the same folder.
    words : str
        Verdict, summary and main tables, for a terminal.
    """

    page: Path
    card: Path
    words: str

    def __repr__(self) -> str:
        return self.words

    def _repr_html_(self) -> str:
        """What notebooks show: the page, in a frame of its own."""
        page = html.escape(self.page.read_text(encoding="utf-8"))
        return f'<iframe srcdoc="{page}" style="width: 100%; height: 40em; border: 0"></iframe>'


def report_runs(
    folders: Sequence[Path],
    *,
    out: Path | None = None,
    corpus: Corpus | None = None,
    media: bool = False,
    command: str = "",
) -> WrittenReport:
    """Report on the first run, and compare it with the others and with its baselines.

    Parameters
    ----------
    folders : sequence of Path
        Run folders, at least one.
    out : Path, optional
        Folder of the report; default: the first run folder, with several runs ``compared/`` in it.
    corpus, media, command
        As for `write_report`.

    Returns
    -------
    WrittenReport

    Raises
    ------
    SettingsError
        If no folder is named, or one holds no evaluation.
    """
    if not folders:
        raise SettingsError("There is nothing to report: name at least one run folder.")
    first, *further = [ReportedRun.read(folder, corpus) for folder in folders]
    target = out or (first.folder / "compared" if further else first.folder)
    with reading(f"The run folder {first.folder}", SettingsError):  # its records hold any values
        runs = distinct_names([first, *further, *read_others(first.folder, corpus)])
        page = write_report(runs[0], runs[1:], target, corpus=corpus, media=media, command=command)
        words = describe_run(tuple(run.evaluation for run in runs))
    return WrittenReport(page, page.with_name("model-card.md"), words)


def write_run_report(
    result: ExperimentResult,
    baselines: Sequence[ExperimentResult] = (),
    corpus: Corpus | None = None,
) -> Path:
    """Report on a run that was made just now; see `write_report`.

    Parameters
    ----------
    result : ExperimentResult
        The system; the report goes to its folder.
    baselines : sequence of ExperimentResult
    corpus : Corpus, optional
    """
    others = [ReportedRun.of_result(entry) for entry in baselines]
    return write_report(ReportedRun.of_result(result), others, result.folder, corpus=corpus)


def write_report(
    run: ReportedRun,
    others: Sequence[ReportedRun],
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
    others : sequence of ReportedRun
        Its baselines, and other runs to compare it with.
    folder : Path
        Folder to write to.
    corpus : Corpus, optional
        Has the media of the worst clips.
    media : bool
        Show a frame and a spectrogram of the worst clips. Share such a page only as the license of
        the clips allows.
    command : str
        The command that writes this page again.

    Returns
    -------
    Path
        The HTML file: self-contained, light and dark, readable on a phone, printable.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    evaluation = run.evaluation
    evaluations = (evaluation, *(other.evaluation for other in others))
    summary = summarize(evaluation)
    comparisons = compare_all(evaluation, evaluations[1:])
    measured = [
        MeasuredRun(by_protocol(evaluation, entry.evaluation), entry.measured.damaged)
        for entry in (run, *others)
        if entry.measured.damaged
    ]
    others_too = any(entry.run is not evaluation for entry in measured)
    worst = worst_clips(evaluation)
    robustness = robustness_tables(measured, named=others_too)
    corpora = corpus_tables(evaluations)
    about = (describe_data(evaluation), f"Protocol: {evaluation.protocol}")
    tables = {
        table.name: replace(table, about=about).without_empty_columns()
        for table in (
            *_run_tables(evaluations, summary, comparisons),
            *corpora,
            audit_table(run.audit) if run.audit else None,
            worst_table(worst),
            *robustness,
        )
        if table is not None
    }
    for table in tables.values():
        write_table(table, folder / "tables")
    figures = chain(
        run_plots(evaluations, summary, run.folder),
        plot_deep_features(evaluation, run.folder),
        robustness_plots(measured, named=others_too),
    )
    plots = {
        name: _saved_plot(figure, folder / "plots" / name, description)
        for name, description, figure in figures
    }
    verdict = verdict_in_words(evaluation)
    write_model_card(run, summary, tables, verdict, folder)
    page = _render_page(
        title=evaluation.system,
        data=describe_data(evaluation),
        protocol=evaluation.protocol,
        leaks=evaluation.leaks,
        verdict=without_folders(verdict),
        tiles=_tiles(summary),
        sentences=summary_in_words(evaluation, summary, comparisons),
        tables=tables,
        plots=plots,
        audit=run.audit.verdict if run.audit else "",
        corpora=[table.name for table in corpora],
        robustness=[table.name for table in robustness],
        images=image_clips(worst, corpus.by_id) if media and corpus else (),
        command=command_without_folders(evaluation.facts.get("command", "")),
        report_command=command_without_folders(command),
        facts=_facts(evaluation, summary),
        unusable=without_folders(run.unusable),
        settings=run.settings_text,
        version=__version__,
    )
    target = folder / "report.html"
    write_text(target, page)
    return target


def describe_run(evaluations: Sequence[Evaluation]) -> str:
    """A run for the terminal: the result, its verdict, and the tables of systems and targets.

    Parameters
    ----------
    evaluations : sequence of Evaluation
        The system first, then the runs that it is compared with.

    Returns
    -------
    str
        Ends with a line break.
    """
    first, *others = evaluations
    comparisons = compare_all(first, others)
    summary = summarize(first)
    tables = [
        comparison_table(evaluations),
        *corpus_tables(evaluations)[:1],
        paired_table(comparisons) if comparisons else None,
        target_table(first, summary),
    ]
    verdict = [f"LEAKS: {leak}" for leak in first.leaks] or ["No leak declared."]
    sentences = summary_in_words(first, summary, comparisons)
    texts = [as_text(table.without_empty_columns()) for table in tables if table is not None]
    result = f"LEAKS: {sentences[0]}" if first.leaks else sentences[0]
    return "\n".join([result, *sentences[1:], "", *verdict, "", *texts])


def _run_tables(
    evaluations: Sequence[Evaluation],
    summary: Summary,
    comparisons: Sequence[tuple[PairedComparison, float]],
) -> Iterator[Table | None]:
    first = evaluations[0]
    yield comparison_table(evaluations)
    yield paired_table(comparisons) if comparisons else None
    yield modality_table(first)
    yield target_table(first, summary)
    yield metrics_table(first, summary)
    yield class_table(first, summary)
    yield speaker_table(first, summary)


def _render_page(**values: Any) -> str:
    """Fill the template; text is escaped, tables and plots are markup already."""
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
    return environment.get_template("run.html").render(**values)


def _saved_plot(figure: Figure, stem: Path, description: str) -> Any:
    """Save a plot, and return it as markup that takes the colors of the page."""
    from markupsafe import Markup

    _, svg = save_figure(figure, stem)
    return Markup(inline_svg(svg.read_text("utf-8"), stem.name, description))


def _tiles(summary: Summary) -> list[dict[str, str]]:
    tiles = []
    for name in ("accuracy", "unweighted_recall", "macro_f1"):
        figure, _, bounds = str(Estimate.of(summary.metrics[name])).partition(" [")
        interval = f"95 % interval {bounds.rstrip(']')}".replace(", ", " to ") if bounds else ""
        tiles.append({"title": METRIC_TITLES[name], "figure": figure, "range": interval})
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
        lines.append(f"Training, all folds and seeds: {duration(evaluation.training_s)}")
    if evaluation.prediction_s is not None:
        per_clip_ms = 1000 * evaluation.prediction_s / len(evaluation.clip_ids)
        lines.append(f"Prediction: {per_clip_ms:.1f} ms per clip, without features")
    return lines
