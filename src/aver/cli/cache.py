"""`aver cache show | clear`: the size of the feature cache, and its removal."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aver.cli.arguments import Command, add_cache_argument


def _show(arguments: Namespace) -> int:
    from aver.execution.files import cache_root
    from aver.features.cache_report import describe_cache

    print(describe_cache(arguments.cache or cache_root()).text())
    return 0


def _add_clear_arguments(parser: ArgumentParser) -> None:
    add_cache_argument(parser)
    parser.add_argument("--feature", metavar="NAME", help="remove only entries of this feature")
    parser.add_argument(
        "--older-than-days", type=float, metavar="DAYS", help="remove only entries older than this"
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
    summary="Show the size of the feature cache, or clear it.",
    example="aver cache show",
    subcommands=(
        Command(
            "show", "Entries and size by feature.", "aver cache show", add_cache_argument, _show
        ),
        Command(
            "clear",
            "Remove entries; they are computed again when needed.",
            "aver cache clear --feature face-crops --older-than-days 30",
            _add_clear_arguments,
            _clear,
        ),
    ),
)
