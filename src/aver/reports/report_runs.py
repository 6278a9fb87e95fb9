"""`report_runs`: one page on finished runs, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from aver.errors import SettingsError
from aver.reports.reported_run import ReportedRun, distinct_names
from aver.reports.run_report import describe_run, write_report

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus


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
