"""The model card: Markdown with the front matter that the Hugging Face Hub reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aver.evaluation.evaluation import Evaluation
from aver.evaluation.intervals import Interval
from aver.evaluation.summary import Summary
from aver.execution.files import command_without_folders, write_text
from aver.models.base.hub_card import (
    HUB_METRICS,
    USE_AND_LIMITS,
    features_in_yaml,
    front_matter,
)
from aver.reports.reported_run import ReportedRun
from aver.reports.run_tables import METRIC_TITLES
from aver.reports.statements import describe_data, speakers_in_words, trained_in_words
from aver.reports.table import Cell, Estimate, Table, as_markdown
from aver.splits.split import SUBSETS
from aver.version import __version__

_SHOWN = ("comparison", "corpora-uar", "corpora-accuracy", "classes")
"""Tables of results."""


def write_model_card(
    run: ReportedRun,
    summary: Summary,
    tables: Mapping[str, Table],
    verdict: Sequence[str],
    folder: Path,
) -> Path:
    """Write ``model-card.md``.

    Parameters
    ----------
    run : ReportedRun
    summary : Summary
        Of its evaluation.
    tables : mapping of str to Table
        Of the report; the card shows some of them.
    verdict : sequence of str
        Sentences of `verdict_in_words`.
    folder : Path

    Returns
    -------
    Path
    """
    front = front_matter(
        _card(run),
        name=run.evaluation.system,
        corpus=run.evaluation.corpus,
        protocol=run.evaluation.protocol,
        metrics=_metrics(run, summary),
    )
    target = folder / "model-card.md"
    write_text(target, f"{front}\n{_body(run, summary, tables, verdict)}")
    return target


def _metrics(run: ReportedRun, summary: Summary) -> list[dict[str, Any]]:
    leaks = " (LEAKS)" if run.evaluation.leaks else ""
    found = []
    for name, hub_name in HUB_METRICS.items():
        figure = summary.metrics[name]
        shown = str(Estimate.of(figure))
        title = METRIC_TITLES[name].removesuffix(" in %")
        found.append(
            {
                "type": hub_name,
                "value": round(figure.value, 4),
                "name": f"{title}{leaks}: {shown} %{_over(figure, run.evaluation)}",
            }
        )
    return found


def _over(figure: Interval, evaluation: Evaluation) -> str:
    if figure.low is None:
        return ""
    clips = figure.method == "binomial" or not evaluation.knows_speakers
    return f", 95 % interval over {'clips' if clips else 'speakers'}"


def _tested_on(evaluation: Evaluation) -> str:
    if not evaluation.knows_speakers:
        return "clips of unknown speakers"
    return f"{speakers_in_words(evaluation)} only, who are listed above"


def _card(run: ReportedRun) -> dict[str, Any]:
    return run.cards[0] if run.cards else {}


def _body(
    run: ReportedRun, summary: Summary, tables: Mapping[str, Table], verdict: Sequence[str]
) -> str:
    evaluation, card = run.evaluation, _card(run)
    command = evaluation.facts.get("command")
    source = f", after {card['source']}" if card.get("source") else ""
    parts = [
        f"# {evaluation.system}",
        f"Recognizes {len(evaluation.classes)} emotions ({', '.join(evaluation.classes)}) of "
        f"speech in video or audio. Model `{card.get('model', 'unknown')}`{source}. "
        f"{trained_in_words(evaluation)} on {describe_data(evaluation)}.",
        "## Results",
        *(as_markdown(tables[name]) for name in _SHOWN if name in tables),
        "## Protocol",
        f"{evaluation.protocol[0].upper()}{evaluation.protocol[1:]}.",
        "\n".join(f"- {sentence}" for sentence in (*verdict, *_remarks(run))),
        *_lower_headings(tables, "audit", "Audit"),
        "## Data",
        _data(run),
        "## Features that a prediction needs",
        features_in_yaml(card),
    ]
    damaged = [table for name, table in tables.items() if name.startswith("robustness-")]
    if damaged:
        parts += ["## Degraded audio and video", *map(as_markdown, damaged)]
    parts += [
        "## Use and limits",
        USE_AND_LIMITS.format(tested=f"It was tested on {_tested_on(evaluation)}."),
        *_lower_headings(tables, "speakers", "By speaker"),
        "## Reproduction",
        *([f"```\n{command_without_folders(command)}\n```"] if command else []),
        f"Made by aver {__version__}.",
    ]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _lower_headings(tables: Mapping[str, Table], name: str, title: str) -> list[str]:
    return [f"### {title}", as_markdown(tables[name])] if name in tables else []


def _remarks(run: ReportedRun) -> list[str]:
    return sorted({remark for card in run.cards for remark in card.get("remarks", ())})


def _data(run: ReportedRun) -> str:
    """Corpus, license, split, and the speakers of each training."""
    evaluation, card = run.evaluation, _card(run)
    lines = [
        f"- Corpus: {card.get('corpus_title', evaluation.corpus)}",
        f"- License of the corpus: {card.get('license', 'not stated')}",
        f"- Split: {card.get('split_rule', evaluation.protocol)}, hash "
        f"`{card.get('split_hash', evaluation.facts.get('split_hash', 'unknown'))}`",
    ]
    trainings = [as_markdown(_speakers_table(run.cards))] if run.cards else []
    return "\n\n".join(["\n".join(lines), *trainings])


def _speakers_table(cards: Sequence[Mapping[str, Any]]) -> Table:
    """The speakers in each subset of each training."""
    rows: list[tuple[Cell, ...]] = [
        (
            int(card["seed"]),
            int(card["fold"]),
            *(", ".join(card.get("speakers", {}).get(part, ())) for part in SUBSETS),
        )
        for card in cards
    ]
    return Table.of(
        "trainings", "Speakers of each training", ("seed", "fold", *SUBSETS), tuple(rows)
    )
