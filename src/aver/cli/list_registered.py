"""`aver list`: everything that is registered, one line and one source each."""

from __future__ import annotations

import json

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import Command

KINDS = ("corpora", "splits", "features", "models", "presets", "reproductions", "weights")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("kind", nargs="?", default="all", help=f"one of: all, {', '.join(KINDS)}")
    parser.add_argument("--json", action="store_true", help="as JSON")


def _run(arguments: Namespace) -> int:
    from aver.cli.registered import describe_registered
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
