"""`aver cache show | clear`: how much the feature cache holds, and getting rid of it."""

from __future__ import annotations

from pathlib import Path

from jsonargparse import ArgumentParser, Namespace

from aver.cli.arguments import Command


def _add_place(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="feature cache (default: $AVER_CACHE, else yours)"
    )


def _show(arguments: Namespace) -> int:
    from aver.execution.files import cache_root
    from aver.features.cache_report import describe_cache

    root = arguments.cache or cache_root()
    print(describe_cache(root).text())
    return 0


def _add_clear_arguments(parser: ArgumentParser) -> None:
    _add_place(parser)
    parser.add_argument("--feature", metavar="NAME", help="only entries of this feature")
    parser.add_argument(
        "--older-than-days", type=float, metavar="DAYS", help="only entries older than this"
    )


def _clear(arguments: Namespace) -> int:
    from aver.execution.files import cache_root
    from aver.features.cache_report import clear_cache

    root = arguments.cache or cache_root()
    removed = clear_cache(
        root, feature=arguments.feature, older_than_days=arguments.older_than_days
    )
    print(f"Removed {removed.entries} entries, {removed.megabytes:.1f} MB, from {root}")
    return 0


COMMAND = Command(
    name="cache",
    summary="Show what the feature cache holds, or clear it.",
    example="aver cache show",
    verbs=(
        Command("show", "Entries and size by feature.", "aver cache show", _add_place, _show),
        Command(
            "clear",
            "Remove entries; they are computed again when needed.",
            "aver cache clear --feature face-crops --older-than-days 30",
            _add_clear_arguments,
            _clear,
        ),
    ),
)
