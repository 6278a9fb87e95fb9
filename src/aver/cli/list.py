"""`aver list`: everything that is registered, one line and one source each."""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import Command


def describe_registered(kind: str) -> list[dict[str, str]]:
    """Entries of one kind, each with ``name``, ``summary`` and ``source``."""
    return _DESCRIBERS[kind]()


def _entry(name: str, summary: str, source: str) -> dict[str, str]:
    return {"name": name, "summary": summary, "source": source}


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0].rstrip(".")


def _corpora() -> list[dict[str, str]]:
    from aver.corpora import corpora

    return [
        _entry(name, corpora.get(name).info.title, corpora.get(name).info.url or "your own")
        for name in corpora.names()
    ]


def _splits() -> list[dict[str, str]]:
    from aver.splits import split_rules

    rules = [split_rules.get(name) for name in split_rules.names()]
    return [_entry(rule.name, rule.summary, rule.source) for rule in rules]


def _features() -> list[dict[str, str]]:
    from aver.features.feature import features

    kinds = [features.get(name) for name in features.names()]
    return [_entry(kind.name, _first_line(kind), kind.source) for kind in kinds]


def _models() -> list[dict[str, str]]:
    from aver.models.base.recognizer import models

    kinds = [models.get(name) for name in models.names()]
    return [_entry(kind.name, _first_line(kind), kind.source) for kind in kinds]


def _presets() -> list[dict[str, str]]:
    from aver.models.base.presets import preset_names, read_preset

    entries = []
    for name in preset_names():
        preset = read_preset(name)
        entries.append(_entry(name, preset.summary, f"model {preset.model}"))
    return entries


def _reproductions() -> list[dict[str, str]]:
    from aver.evaluation.reproduce import reproductions

    kinds = [reproductions.get(name) for name in reproductions.names()]
    return [_entry(kind.name, _first_line(kind), kind.source) for kind in kinds]


def _weights() -> list[dict[str, str]]:
    from aver.errors import CheckpointError
    from aver.networks.shipped import CARD_NAME, shipped_weights

    entries = []
    for one in shipped_weights():
        try:
            place = one.checked() / CARD_NAME
        except CheckpointError as error:
            entries.append(_entry(one.name, one.summary, f"{one.kind}, cannot be used: {error}"))
            continue
        facts = f"{one.kind}, {one.size_bytes / 1e6:.1f} MB, {one.card['licence']}"
        entries.append(_entry(one.name, one.summary, f"{facts}; card: {place}"))
    return entries


_DESCRIBERS: dict[str, Callable[[], list[dict[str, str]]]] = {
    "corpora": _corpora,
    "splits": _splits,
    "features": _features,
    "models": _models,
    "presets": _presets,
    "reproductions": _reproductions,
    "weights": _weights,
}


KINDS = ("corpora", "splits", "features", "models", "presets", "reproductions", "weights")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", default="all", help=f"one of: all, {', '.join(KINDS)}")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _run(arguments: Namespace) -> int:
    from aver.errors import SettingsError

    if arguments.kind not in ("all", *KINDS):
        raise SettingsError(
            f"'aver list' knows no {arguments.kind!r}. Ask for one of: all, {', '.join(KINDS)}."
        )
    chosen = KINDS if arguments.kind == "all" else (arguments.kind,)
    found = {kind: describe_registered(kind) for kind in chosen}
    if arguments.json:
        print(json.dumps(found, indent=2, ensure_ascii=False))
        return 0
    for kind, entries in found.items():
        width = max((len(entry["name"]) for entry in entries), default=0)
        print(f"{kind}:")
        for entry in entries:
            print(f"  {entry['name']:<{width}}  {entry['summary']}  [{entry['source']}]")
    return 0


COMMAND = Command(
    name="list",
    summary="List corpora, split rules, features, models and presets, one line and source each.",
    example="aver list models",
    add_arguments=_add_arguments,
    run=_run,
)
