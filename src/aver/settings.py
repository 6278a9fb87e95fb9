"""Turn plain values (YAML, JSON, the command line) into settings, with clear errors."""

from __future__ import annotations

import dataclasses
import inspect
import types
import typing
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import yaml

from aver.errors import SettingsError


def settings_from_mapping(kind: type, values: Mapping[str, Any], where: str = "") -> Any:
    """Build a settings dataclass, nested ones included.

    Parameters
    ----------
    kind : type
        A dataclass.
    values : mapping
        Field names to plain values. A string stands for the value it spells (``"5e-5"``), and for
        several where several are wanted (``"audio,video"``).
    where : str
        Dotted name of the place, for messages.

    Raises
    ------
    SettingsError
        If a name is unknown or a value does not fit; the message gives the place.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Speed:
    ...     rate_hz: float = 1.0
    >>> settings_from_mapping(Speed, {"rate_hz": "5e-5"})
    Speed(rate_hz=5e-05)
    """
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where or 'The settings'} must be a mapping, not {values!r}.")
    hints = typing.get_type_hints(kind)
    names = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in names:
            raise SettingsError(
                f"There is no setting {_joined(where, str(name))!r}. "
                f"Known here are: {', '.join(names)}."
            )
    missing = [
        field.name
        for field in dataclasses.fields(kind)
        if field.name not in values
        and field.default is dataclasses.MISSING
        and field.default_factory is dataclasses.MISSING
    ]
    if missing:
        raise SettingsError(f"The setting {_joined(where, missing[0])!r} must be given.")
    return kind(**{n: _value(hints[n], value, _joined(where, n)) for n, value in values.items()})


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else name


def _value(hint: Any, value: Any, where: str) -> Any:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (types.UnionType, typing.Union):
        if value is None or value in ("null", "none"):
            return None
        (hint,) = (kind for kind in arguments if kind is not type(None))
        return _value(hint, value, where)
    if origin is typing.Literal:
        if value not in arguments:
            words = ", ".join(str(word) for word in arguments)
            raise SettingsError(f"The setting {where!r} must be one of {words}, not {value!r}.")
        return value
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else settings_from_mapping(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise SettingsError(f"The setting {where!r} must be a list, not {value!r}.")
        return tuple(_value(arguments[0], part, where) for part in parts)
    if origin is not None and issubclass(origin, Mapping):
        if not isinstance(value, Mapping):
            raise SettingsError(f"The setting {where!r} must be a mapping, not {value!r}.")
        return {key: _value(arguments[1], part, _joined(where, key)) for key, part in value.items()}
    return _plain(hint, value, where)


def _plain(hint: Any, value: Any, where: str) -> Any:
    if hint is Any:
        return value
    if hint is str:
        return _checked(str, value, where)
    if isinstance(value, str):
        try:
            value = float(value) if hint is float else yaml.safe_load(value)
        except (ValueError, yaml.YAMLError):
            raise SettingsError(f"The setting {where!r} must be a number, not {value!r}.") from None
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    return _checked(hint, value, where)


def _checked(kind: type, value: Any, where: str) -> Any:
    words = {str: "a word", int: "a whole number", float: "a number", bool: "true or false"}
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise SettingsError(
            f"The setting {where!r} must be {words.get(kind, kind.__name__)}, not {value!r}."
        )
    return value


def check_words(settings: Any) -> None:
    """Check the fields of a settings dataclass that take one of a few words.

    Raises
    ------
    SettingsError
        If one holds another word; the message names the field and the words.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Window:
    ...     shape: typing.Literal["hann", "box"] = "hann"
    >>> check_words(Window("hamming"))
    Traceback (most recent call last):
    aver.errors.SettingsError: The setting 'shape' must be one of hann, box, not 'hamming'.
    """
    for name, hint in typing.get_type_hints(type(settings)).items():
        if typing.get_origin(hint) is typing.Literal:
            _value(hint, getattr(settings, name), name)


def settings_to_mapping(settings: Any) -> dict[str, Any]:
    """Plain values of a settings dataclass, as YAML and JSON take them.

    Examples
    --------
    >>> @dataclasses.dataclass(frozen=True)
    ... class Band:
    ...     edges_hz: tuple[float, ...] = (50.0, 400.0)
    >>> settings_to_mapping(Band())
    {'edges_hz': [50.0, 400.0]}
    """
    return {
        field.name: _as_plain(getattr(settings, field.name))
        for field in dataclasses.fields(settings)
    }


def _as_plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return settings_to_mapping(value)
    if isinstance(value, Mapping):
        return {key: _as_plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_as_plain(part) for part in value]
    return value


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
