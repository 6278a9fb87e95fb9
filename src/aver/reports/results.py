"""`Results`: what `aver.evaluate` returns, as tables and figures for scripts and notebooks."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aver.errors import SettingsError
from aver.evaluation.experiment import ExperimentResult
from aver.evaluation.summary import interval_of_metric, summarize
from aver.reports.plots.style import as_svg
from aver.reports.run_plots import run_plots
from aver.reports.run_tables import METRICS, PROPORTIONS, compare_all
from aver.reports.statements import describe_data
from aver.reports.table import Cell, Estimate, Table, as_html, as_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from aver.evaluation.evaluation import Evaluation


_NOTE = (
    "difference: accuracy of {first} minus that of this system, in points. p: permutation "
    "of whole speakers, corrected for the number of comparisons (Holm); the intervals are not "
    "corrected."
)


class Results(tuple[ExperimentResult, ...]):
    """The evaluated system first, then further systems and baselines on the same folds.

    A tuple of `ExperimentResult`. Printed, it is a short table; in a notebook, with the pictures
    of the report.
    """

    __slots__ = ()

    @property
    def evaluations(self) -> tuple[Evaluation, ...]:
        """Of all systems, in the same order."""
        return tuple(result.evaluation for result in self)

    @property
    def predictions(self) -> pd.DataFrame:
        """The predictions of all systems, one row per system, clip, fold and seed.

        Returns
        -------
        pd.DataFrame
            ``system`` and the columns of `aver.evaluation.evaluation.Evaluation.predictions`. A
            column that a system lacks is missing in its rows.
        """
        import pandas as pd

        tables = []
        for evaluation in self.evaluations:
            table = evaluation.predictions.copy()
            table.insert(0, "system", evaluation.system)
            tables.append(table)
        return pd.concat(tables, ignore_index=True)

    def summary(self) -> pd.DataFrame:
        """One row per system, with 95 % intervals over speakers.

        Returns
        -------
        pd.DataFrame
            ``system``; ``accuracy``, ``unweighted recall`` and ``macro F1`` in percent, each with
            ``...: low`` and ``...: high``; ``difference`` in accuracy of the first system minus
            this one, in points, with its interval; ``p`` of that difference by the permutation of
            whole speakers, corrected for the number of comparisons (Holm).
        """
        table = self._table().numbers().drop(columns=["p: low", "p: high"], errors="ignore")
        return table.astype({name: float for name in table.columns if name != "system"})

    def plot(self, name: str = "intervals") -> Figure:
        """A figure of the report.

        Parameters
        ----------
        name : str
            ``"intervals"``, ``"confusion"``, ``"classes"``, ``"speakers"`` ...: the names of the
            files in ``plots/`` of the run folder.

        Raises
        ------
        SettingsError
            If the report of this run has no such figure; the message lists those that it has.
        """
        found = []
        for one, _, figure in self._figures():
            if one == name:
                return figure
            found.append(one)
        raise SettingsError(f"There is no plot {name!r}. Known are: {', '.join(found)}.")

    def __repr__(self) -> str:
        return as_text(self._table())

    def _repr_html_(self) -> str:
        """What notebooks show: the summary and the pictures of the report."""
        pictures = (
            f'<p><img alt="{description}" src="data:image/svg+xml;base64,'
            f'{base64.b64encode(as_svg(figure).encode()).decode()}"></p>'
            for _, description, figure in self._figures()
        )
        return "\n".join([as_html(self._table()), *pictures])

    def _figures(self) -> Iterator[tuple[str, str, Figure]]:
        return run_plots(self.evaluations, summarize(self.evaluations[0]), self[0].folder)

    def _table(self) -> Table:
        first, *others = self.evaluations
        compared = {found.second: (found, p) for found, p in compare_all(first, others)}
        rows: list[tuple[Cell, ...]] = []
        for evaluation in self.evaluations:
            metrics = (
                Estimate.of(
                    interval_of_metric(name, METRICS[name](evaluation), evaluation.clip_count)
                )
                for name in PROPORTIONS
            )
            found = compared.get(evaluation.system)
            difference = Estimate.of(found[0].difference, signed=True) if found else None
            p = Estimate(found[1], percent=False) if found else None
            rows.append((evaluation.system, *metrics, difference, p))
        notes = [_NOTE.format(first=first.system)] if others else []
        columns = ("system", "accuracy", "unweighted recall", "macro F1", "difference", "p")
        return Table.of("summary", f"Results in % on {describe_data(first)}", columns, rows, notes)
