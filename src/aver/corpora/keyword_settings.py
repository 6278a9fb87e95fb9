"""Settings of readers and rules, as they come from keywords or the command line."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import TypeVar

from aver.errors import SettingsError

T = TypeVar("T")


def build_with_settings(kind: Callable[..., T], settings: Mapping[str, object], what: str) -> T:
    """Construct a reader or a rule, with clear errors for settings that do not fit.

    Parameters
    ----------
    kind : class
        Every parameter of its constructor has a default.
    settings : mapping of str to object
        Must fit the defaults: text where the default is text, a whole number where it is one.
    what : str
        What is being set up, for messages, for instance ``"The corpus reader 'ravdess'"``.

    Raises
    ------
    SettingsError
        If there is no such setting, or its value is of the wrong kind.
    """
    parameters = inspect.signature(kind).parameters
    for name, value in settings.items():
        if name not in parameters:
            has = f"It has: {', '.join(parameters)}." if parameters else "It has none."
            raise SettingsError(f"{what} has no setting {name!r}. {has}")
        default = parameters[name].default
        for wanted, words in ((str, "text"), (int, "a whole number")):
            if type(default) is wanted and type(value) is not wanted:
                raise SettingsError(f"{what} needs {words} for {name!r}, not {value!r}.")
    return kind(**settings)
