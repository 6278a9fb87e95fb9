"""Lists and assignments among the words of a command line."""

from __future__ import annotations

from argparse import _ActionsContainer
from collections.abc import Sequence
from typing import Any

from aver.errors import SettingsError


def add_list_argument(
    parser: _ActionsContainer, name: str, about: str, metavar: str = "KEY=VALUE", **options: Any
) -> None:
    """Declare an option that takes several values and may be given several times."""
    parser.add_argument(
        name, nargs="+", action="extend", default=[], metavar=metavar, help=about, **options
    )


def split_list(text: str) -> tuple[str, ...]:
    """Read ``a,b,c``; an empty text gives an empty tuple.

    Examples
    --------
    >>> split_list("happy, sad")
    ('happy', 'sad')
    """
    return tuple(item.strip() for item in text.split(",") if item.strip())


def parse_assignments(items: Sequence[str], option: str) -> dict[str, Any]:
    """Read ``KEY=VALUE`` items; values are YAML, or plain text if they are not valid YAML.

    Raises
    ------
    SettingsError
        If an item has no ``=``.

    Examples
    --------
    >>> parse_assignments(["epochs=3", "pattern={speaker}-{take}.mp4"], "--set")
    {'epochs': 3, 'pattern': '{speaker}-{take}.mp4'}
    """
    import yaml

    from aver.execution.documents import parse_yaml

    values: dict[str, Any] = {}
    for item in items:
        key, equals, text = item.partition("=")
        if not equals or not key:
            raise SettingsError(f"{option} takes KEY=VALUE, not {item!r}.")
        try:
            values[key] = parse_yaml(text)
        except yaml.YAMLError:
            values[key] = text
    return values
