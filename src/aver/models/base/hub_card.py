"""The README of a checkpoint: its card as Markdown, with the front matter that the Hub reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from aver.errors import CheckpointError
from aver.execution.files import without_folders, write_text
from aver.networks.shipped import CARD_NAME
from aver.version import __version__

README_NAME = "README.md"

_LICENSES = {
    "CC BY-NC-SA 4.0": "cc-by-nc-sa-4.0",
    "Open Database License (ODbL) 1.0": "odbl",
}
"""Names of licenses on the Hub; other licenses are given as text."""
HUB_METRICS = {"accuracy": "accuracy", "unweighted_recall": "recall", "macro_f1": "f1"}
"""Our metrics by their names on the Hub."""
_TITLES = {
    "accuracy": "accuracy",
    "unweighted_recall": "unweighted recall",
    "macro_f1": "macro F1",
}
_TASKS = {True: "video-classification", False: "audio-classification"}

USE_AND_LIMITS = (
    "For research on emotion in clips like the training clips. It predicts how a clip would be "
    "labeled, not what a person feels. {tested} Do not use it to judge people."
)


def front_matter(
    card: Mapping[str, Any],
    *,
    name: str,
    corpus: str,
    protocol: str,
    metrics: Sequence[Mapping[str, Any]],
) -> str:
    """YAML between dashes: license, tags and, if there are figures, the ``model-index``.

    Parameters
    ----------
    card : mapping
        Of the recognizer.
    name : str
        Of the system, as in tables.
    corpus, protocol : str
        What it was evaluated on, and how.
    metrics : sequence of mapping
        ``type`` (as the Hub names it), ``value`` and ``name``.

    Notes
    -----
    Source: the model card specification of the Hugging Face Hub,
    https://github.com/huggingface/hub-docs/blob/main/modelcard.md.
    """
    import yaml

    modalities = {"audio"} if not card.get("features") else set(card["features"])
    task = _TASKS["video" in modalities]
    license = str(card.get("license", ""))
    if license in _LICENSES:
        licenses = {"license": _LICENSES[license]}
    else:
        licenses = {"license": "other", "license_name": license or "not stated"}
    dataset = {"name": str(card.get("corpus_title", corpus)), "type": corpus, "split": protocol}
    result = {
        "task": {"type": task, "name": "Emotion recognition"},
        "dataset": dataset,
        "metrics": [dict(metric) for metric in metrics],
    }
    facts = {
        **licenses,
        "library_name": "aver",
        "pipeline_tag": task,
        "tags": ["emotion-recognition", "audio-visual", "aver", str(card.get("model", "unknown"))],
        "metrics": list(HUB_METRICS.values()),
        **({"model-index": [{"name": name, "results": [result]}]} if metrics else {}),
    }
    text = yaml.safe_dump(facts, sort_keys=False, allow_unicode=True, width=1000)
    return f"---\n{text}---\n"


def write_readme(folder: Path) -> Path:
    """Write ``README.md`` beside the card of a checkpoint.

    Raises
    ------
    CheckpointError
        If the folder holds no card.
    """
    try:
        card = json.loads((folder / CARD_NAME).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise CheckpointError(f"{folder} holds no readable card.json: {error}.") from None
    target = folder / README_NAME
    write_text(target, readme_of(card))
    return target


def readme_of(card: Mapping[str, Any]) -> str:
    """Markdown on what a recognizer does, how well, and what it was fitted on.

    Parameters
    ----------
    card : mapping
        Of the recognizer; of a final one with ``fitted_on_all`` and ``expected``, see
        `aver.evaluation.final.fit_final`.
    """
    expected = card.get("expected", {})
    name = str(expected.get("system", card.get("model", "recognizer")))
    corpus = str(card.get("corpus", "unknown"))
    head = front_matter(
        card,
        name=name,
        corpus=corpus,
        protocol=str(expected.get("protocol", card.get("protocol", ""))),
        metrics=_metrics(expected),
    )
    classes = card.get("classes", ())
    source = f", after {card['source']}" if card.get("source") else ""
    parts = [
        f"# {name}",
        f"Recognizes {len(classes)} emotions ({', '.join(classes)}) of speech in video or audio. "
        f"Model `{card.get('model', 'unknown')}`{source}.",
        "## Quality",
        str(expected.get("statement", "Its card states no quality.")),
        *_table(expected),
        "## Data",
        "\n".join(_data(card)),
        "## Use",
        "```python\nimport aver\n\n"
        'recognizer = aver.load("path or hf://user/name")\n'
        'aver.predict(["clip.mp4"], checkpoint="path or hf://user/name")\n```',
        "## Features that a prediction needs",
        features_in_yaml(card),
        "## Limits",
        USE_AND_LIMITS.format(tested=_tested(expected)),
        f"Made by aver {__version__}.",
    ]
    return f"{head}\n" + "\n\n".join(part.strip() for part in parts) + "\n"


def features_in_yaml(card: Mapping[str, Any]) -> str:
    """The features of a recognizer and their settings, as a block of YAML."""
    import yaml

    features = card.get("features")
    if not features:
        return "None."
    text = yaml.safe_dump(without_folders(dict(features)), sort_keys=False, allow_unicode=True)
    return f"```yaml\n{text}```"


def _shown(figure: Mapping[str, float]) -> str:
    value = f"{100 * figure['value']:.1f}"
    if "low" not in figure:
        return value
    return f"{value} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def _metrics(expected: Mapping[str, Any]) -> list[dict[str, Any]]:
    leaks = " (LEAKS)" if expected.get("leaks") else ""
    return [
        {
            "type": HUB_METRICS[name],
            "value": figure["value"],
            "name": f"{_TITLES[name]}{leaks}, expected: {_shown(figure)} %",
        }
        for name, figure in expected.get("metrics", {}).items()
    ]


def _table(expected: Mapping[str, Any]) -> list[str]:
    """Figures with 95 % intervals, in percent."""
    if not expected.get("metrics"):
        return []
    rows = [f"| {_TITLES[name]} | {_shown(f)} |" for name, f in expected["metrics"].items()]
    return ["\n".join(["| metric in % | expected [95 % interval] |", "| --- | --- |", *rows])]


def _data(card: Mapping[str, Any]) -> list[str]:
    lines = [
        f"- Corpus: {card.get('corpus_title', card.get('corpus', 'not stated'))}",
        f"- License of the corpus: {card.get('license', 'not stated')}",
    ]
    if card.get("fitted_on_all"):
        lines.append(f"- {card['fitted_on_all']}")
    lines += [
        f"- Speakers, {subset}: {', '.join(names)}"
        for subset, names in card.get("speakers", {}).items()
        if names
    ]
    return lines + [f"- {remark}" for remark in card.get("remarks", ())]


def _tested(expected: Mapping[str, Any]) -> str:
    if not expected.get("metrics"):
        return "It was not tested."
    speakers = expected.get("speakers")
    return f"The same settings were tested on {speakers or 'unknown'} speakers of this corpus only."
