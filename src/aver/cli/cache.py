"""`aver cache show | clear`: the size of the feature cache, and its removal."""

from __future__ import annotations

import argparse
import re
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from aver.cli.arguments import Command, add_cache_argument
from aver.errors import SettingsError


def _show(arguments: Namespace) -> int:
    from aver.execution.files import cache_root
    from aver.features.cache_report import describe_cache

    print(describe_cache(arguments.cache or cache_root()).text())
    return 0


def _add_clear_arguments(parser: ArgumentParser) -> None:
    add_cache_argument(parser)
    parser.add_argument("--feature", metavar="NAME", help="remove only entries of this feature")
    parser.add_argument(
        "--older", metavar="AGE", help="remove only entries older than this: 12h, 30d or 8w"
    )
    hidden = argparse.SUPPRESS
    parser.add_argument("--older-than-days", type=float, default=None, help=hidden)
    parser.add_argument(
        "--keep",
        metavar="SIZE",
        help="remove only what exceeds this size, the least recently used first: 500MB or 5GB",
    )


def _clear(arguments: Namespace) -> int:
    from aver.execution.files import cache_root
    from aver.features.cache_report import clear_cache

    root = arguments.cache or cache_root()
    days = arguments.older_than_days
    if arguments.older is not None:
        days = _quantity(arguments.older, _DAYS, "--older", "12h, 30d or 8w")
    size = arguments.keep and _quantity(arguments.keep, _BYTES, "--keep", "500MB or 5GB")
    removed = clear_cache(root, feature=arguments.feature, older_than_days=days, keep_bytes=size)
    print(f"Removed {removed.entries} entries, {removed.megabytes:.1f} MB, from {root}")
    return 0


_DAYS = {"h": 1 / 24, "d": 1.0, "w": 7.0}
_BYTES = {"MB": 1e6, "GB": 1e9, "TB": 1e12}


def _quantity(text: str, units: Mapping[str, float], option: str, examples: str) -> float:
    """Read a number with a unit.

    Raises
    ------
    SettingsError
        If there is no number, or no unit.

    Examples
    --------
    >>> _quantity("8w", _DAYS, "--older", ""), _quantity("1.5 gb", _BYTES, "--keep", "")
    (56.0, 1500000000.0)
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?) ?([a-zA-Z]+)", text.strip())
    factors = {unit.lower(): factor for unit, factor in units.items()}
    if found is None or found[2].lower() not in factors:
        raise SettingsError(f"{option} takes a number with its unit, as in {examples}: {text!r}.")
    return float(found[1]) * factors[found[2].lower()]


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
            "aver cache clear --feature face-crops --older 30d",
            _add_clear_arguments,
            _clear,
        ),
    ),
)
