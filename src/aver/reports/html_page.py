"""One self-contained HTML file: no script, no font, no picture from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from aver.reports.plots.style import inline_svg
from aver.reports.table import Estimate, Table, shown


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

    environment = Environment(
        loader=PackageLoader("aver.reports", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["shown"] = shown
    environment.tests["estimate"] = lambda cell: isinstance(cell, Estimate)
    environment.tests["numeric_column"] = lambda column, table: _is_numeric(table, column)
    return environment.get_template(template).render(**values)


def _is_numeric(table: Table, column: int) -> bool:
    return table.is_numeric(column)


def plot_markup(svg: Path, name: str, description: str) -> Any:
    """A saved plot as markup that takes the page's colours, safe to put into a template."""
    from markupsafe import Markup

    return Markup(inline_svg(svg.read_text("utf-8"), name, description))
