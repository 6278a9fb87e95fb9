"""`aver list`: everything that is registered, one line and one source each."""

from __future__ import annotations

import inspect
import json
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from aver.cli.arguments import Command
from aver.errors import SettingsError

if TYPE_CHECKING:
    from aver.evaluation.reproduction import Reproduction
    from aver.registry import Registry


def _first_line(thing: object) -> str:
    return (inspect.getdoc(thing) or "").partition("\n")[0].rstrip(".")


def _entry(name: str, summary: str, source: str) -> dict[str, str]:
    return {"name": name, "summary": summary, "source": source}


def _entries(
    registry: Registry[Any], describe: Callable[[Any], tuple[str, str]]
) -> list[dict[str, str]]:
    """Summary and source of everything in a table; packages that cannot be imported say why."""
    entries = []
    for name in registry.names():
        package = registry.package(name)
        try:
            summary, source = describe(registry.get(name))
        except SettingsError as error:
            if not package:
                raise
            summary, source = str(error), ""
        added = f"added by the package {package}" if package else ""
        entries.append(_entry(name, summary, "; ".join(filter(None, (source, added)))))
    return entries


def _corpora() -> list[dict[str, str]]:
    from aver.corpora import corpora

    return _entries(corpora, lambda kind: (kind.info.title, kind.info.url or "your own"))


def _splits() -> list[dict[str, str]]:
    from aver.splits import split_rules

    return _entries(split_rules, lambda rule: (rule.summary, rule.source))


def _features() -> list[dict[str, str]]:
    from aver.features.feature import features

    return _entries(features, lambda kind: (_first_line(kind), kind.source))


def _models() -> list[dict[str, str]]:
    from aver.models.base.recognizer import models

    return _entries(models, lambda kind: (_first_line(kind), kind.source))


def _presets() -> list[dict[str, str]]:
    from aver.models.base.presets import preset_names, read_preset

    presets = {name: read_preset(name) for name in preset_names()}
    return [_entry(name, one.summary, f"model {one.model}") for name, one in presets.items()]


def _reproductions() -> list[dict[str, str]]:
    from aver.evaluation.reproduce import reproductions

    def describe(kind: type[Reproduction]) -> tuple[str, str]:
        made = f"tables {' '.join(kind.tables)}; figures {' '.join(kind.figures)}"
        return f"{_first_line(kind)}; {made}", kind.source

    return _entries(reproductions, describe)


def _weights() -> list[dict[str, str]]:
    from aver.errors import CheckpointError
    from aver.networks.shipped import CARD_NAME, shipped_weights

    entries = []
    for one in shipped_weights():
        try:
            card = one.checked() / CARD_NAME
        except CheckpointError as error:
            source = f"{one.kind}, cannot be used: {error}"
        else:
            size_mb = one.size_bytes / 1e6
            source = f"{one.kind}, {size_mb:.1f} MB, {one.card['license']}; card: {card}"
        entries.append(_entry(one.name, one.summary, source))
    return entries


_KINDS: dict[str, Callable[[], list[dict[str, str]]]] = {
    "corpora": _corpora,
    "splits": _splits,
    "features": _features,
    "models": _models,
    "presets": _presets,
    "reproductions": _reproductions,
    "weights": _weights,
}


_START = """\
Start with 'aver demo' (a whole evaluation on synthetic clips), with 'aver predict VIDEO', or, with
a corpus of your own, with 'aver corpus check --corpus DIR'. 'aver weights show NAME' prints the
card of weights, 'aver corpus info NAME' the license and the source of a corpus.
"""


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        nargs="?",
        default="all",
        choices=("all", *_KINDS),
        metavar="KIND",
        help=f"what to list: all (the default), {', '.join(_KINDS)}",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")


def _run(arguments: Namespace) -> int:
    kinds = tuple(_KINDS) if arguments.kind == "all" else (arguments.kind,)
    entries_of = {kind: _KINDS[kind]() for kind in kinds}
    if arguments.json:
        print(json.dumps(entries_of, indent=2, ensure_ascii=False))
        return 0
    if arguments.kind == "all":
        print(_START)
    for kind, entries in entries_of.items():
        width = max((len(entry["name"]) for entry in entries), default=0)
        print(f"{kind}:")
        for entry in entries:
            print(f"  {entry['name']:<{width}}  {entry['summary']}  [{entry['source']}]")
    return 0


COMMAND = Command(
    name="list",
    summary="List corpora, split rules, features, models, presets, weights.",
    example="aver list models",
    add_arguments=_add_arguments,
    run=_run,
)
