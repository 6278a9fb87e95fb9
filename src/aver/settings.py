"""Settings: frozen, validated dataclasses, built from YAML, JSON or the command line.

``@settings`` checks every field when an instance is made (with pydantic), so that a wrong value is
refused at once, by one clear sentence. Ranges stand in the annotation::

    @settings
    class Window:
        length_ms: Annotated[float, Field(gt=0)] = 25.0

Rules that involve several fields stay in ``__post_init__`` and raise `SettingsError`.
"""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar, dataclass_transform

import yaml
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass as validated_dataclass

from aver.errors import SettingsError

__all__ = [
    "Field",
    "apply_changes",
    "settings",
    "settings_from_mapping",
    "settings_to_mapping",
]

T = TypeVar("T")

_CONFIG = ConfigDict(arbitrary_types_allowed=True, extra="forbid")


@dataclass_transform(frozen_default=True, field_specifiers=(dataclasses.field,))
def settings(kind: type[T]) -> type[T]:
    """Class decorator: a frozen dataclass whose values are checked against their annotations.

    Raises
    ------
    SettingsError
        By the constructor, if a value does not fit; it names the setting, the rule and the value.

    Examples
    --------
    >>> @settings
    ... class Window:
    ...     length_ms: typing.Annotated[float, Field(gt=0)] = 25.0
    ...     shape: typing.Literal["hann", "box"] = "hann"
    >>> Window(length_ms=20)
    Window(length_ms=20.0, shape='hann')
    >>> Window(length_ms=0)
    Traceback (most recent call last):
    aver.errors.SettingsError: The setting 'length_ms' must be greater than 0, not 0.
    >>> Window(shape="hamming")
    Traceback (most recent call last):
    aver.errors.SettingsError: The setting 'shape' must be one of hann, box, not 'hamming'.
    >>> Window(length_ms=1e9)
    Traceback (most recent call last):
    aver.errors.SettingsError: The setting 'length_ms' must be at most 8.64e+07, not 1000000000.0.
    """
    made: Any = validated_dataclass(frozen=True, config=_CONFIG)(kind)
    validate = made.__init__

    @functools.wraps(validate)
    def checked(self: Any, *args: Any, **kwargs: Any) -> None:
        try:
            validate(self, *args, **kwargs)
        except ValidationError as error:
            raise SettingsError(_sentence(error, made, "")) from None
        _check_sizes(self)

    made.__init__ = checked
    return made


_LARGEST = {"hz": 200_000.0, "px": 4096.0, "s": 86_400.0, "ms": 86_400_000.0}
"""By unit at the end of a setting's name: beyond any recording; a checkpoint of somebody else could
otherwise ask for all memory or days of work."""

_LARGEST_COUNT = 1_000_000.0
"""Of whole numbers without a unit: sizes of layers, numbers of epochs."""


def _check_sizes(value: Any, name: str = "") -> None:
    """Refuse numbers that no setting can mean, at any depth.

    Raises
    ------
    SettingsError
        It names the setting by its dotted name.
    """
    if dataclasses.is_dataclass(value):
        value = {field.name: getattr(value, field.name) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        for key, part in value.items():
            _check_sizes(part, _joined(name, str(key)))
    elif isinstance(value, tuple | list):
        for part in value:
            _check_sizes(part, name)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        largest = _LARGEST.get(name.rpartition("_")[2])
        if largest is None and isinstance(value, int) and not name.endswith("seed"):
            largest = _LARGEST_COUNT
        if largest is not None and value > largest:
            raise SettingsError(f"The setting {name!r} must be at most {largest:g}, not {value!r}.")


def settings_from_mapping(kind: type, values: Mapping[str, Any], where: str = "") -> Any:
    """Build a settings dataclass, nested ones included, from plain values.

    Parameters
    ----------
    kind : type
        A dataclass.
    values : mapping
        Field names to plain values. Text stands for the value that it spells (``"5e-5"``,
        ``"none"``), and for a list if a list is wanted (``"audio,video"``).
    where : str
        Dotted name of the place, for messages.

    Raises
    ------
    SettingsError
        If a name is unknown or a value does not fit; the message gives the place.

    Examples
    --------
    >>> @settings
    ... class Speed:
    ...     rate_hz: float = 1.0
    >>> settings_from_mapping(Speed, {"rate_hz": "5e-5"})
    Speed(rate_hz=5e-05)
    """
    plain = _parsed(kind, values, where)
    try:
        made = _adapter(kind).validate_python(plain)
    except ValidationError as error:
        raise SettingsError(_sentence(error, kind, where)) from None
    _check_sizes(made, where)
    return made


def settings_to_mapping(value: Any) -> dict[str, Any]:
    """Plain values of a settings dataclass, as YAML and JSON take them.

    Examples
    --------
    >>> @settings
    ... class Band:
    ...     edges_hz: tuple[float, ...] = (50.0, 400.0)
    >>> settings_to_mapping(Band())
    {'edges_hz': [50.0, 400.0]}
    """
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def apply_changes(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A copy of nested settings with changes: mappings are merged, all other values are replaced.

    Parameters
    ----------
    values : mapping
        Nested settings.
    changes : mapping
        Nested as the settings are, or by dotted name.

    Examples
    --------
    >>> apply_changes({"training": {"epochs": 9, "seed": 1}}, {"training.epochs": 5})
    {'training': {'epochs': 5, 'seed': 1}}
    """
    result = {
        name: apply_changes(value, {}) if isinstance(value, Mapping) else value
        for name, value in values.items()
    }
    for name, value in changes.items():
        first, _, rest = name.partition(".")
        change = {rest: value} if rest else value
        if isinstance(change, Mapping):
            old = result.get(first)
            change = apply_changes(old if isinstance(old, dict) else {}, change)
        result[first] = change
    return result


@functools.cache
def _adapter(kind: type) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _parsed(hint: Any, value: Any, where: str) -> Any:
    """`value` with text turned into what the hint asks for; unknown names are refused."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Annotated:
        return _parsed(arguments[0], value, where)
    if origin in (types.UnionType, typing.Union):
        if value is None or value in ("null", "none"):
            return None
        others = [kind for kind in arguments if kind is not type(None)]
        return _parsed(others[0], value, where) if len(others) == 1 else value
    if dataclasses.is_dataclass(hint):
        return value if isinstance(value, hint) else _parsed_fields(hint, value, where)  # type: ignore[arg-type]
    if origin is tuple:
        parts = value.split(",") if isinstance(value, str) else value
        if not isinstance(parts, list | tuple):
            raise SettingsError(f"The setting {where!r} must be a list, not {value!r}.")
        return tuple(_parsed(arguments[0], part, where) for part in parts)
    if isinstance(origin, type) and issubclass(origin, Mapping) and isinstance(value, Mapping):
        return {k: _parsed(arguments[1], part, _joined(where, k)) for k, part in value.items()}
    if hint in (int, bool) and isinstance(value, str):
        try:
            value = yaml.safe_load(value)
        except (yaml.YAMLError, RecursionError):
            return value
    if hint in (int, float) and isinstance(value, bool):
        raise SettingsError(f"The setting {where!r} must be {_KINDS[hint]}, not {value!r}.")
    return value


def _parsed_fields(kind: Any, values: Any, where: str) -> dict[str, Any]:
    if not isinstance(values, Mapping):
        raise SettingsError(f"{where or 'The settings'} must be a mapping, not {values!r}.")
    hints = typing.get_type_hints(kind, include_extras=True)
    names = [field.name for field in dataclasses.fields(kind)]
    for name in values:
        if name not in names:
            raise SettingsError(
                f"There is no setting {_joined(where, str(name))!r}. "
                f"Known here are: {', '.join(names) or 'none'}."
            )
    return {name: _parsed(hints[name], part, _joined(where, name)) for name, part in values.items()}


def _joined(where: str, name: str) -> str:
    return f"{where}.{name}" if where else str(name)


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return settings_to_mapping(value)
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value


_KINDS: dict[Any, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    dict: "a mapping",
    tuple: "a list",
}

_RULES = {  # pydantic's error type to the rule in plain words
    "greater_than": "must be greater than {gt:g}",
    "greater_than_equal": "must be at least {ge:g}",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be at most {le:g}",
    "too_short": "must have at least {min_length} entries",
    "string_too_short": "must not be empty",
    "finite_number": "must be a finite number",
    "multiple_of": "must be a multiple of {multiple_of:g}",
}

_WANTED = {"int": int, "float": float, "bool": bool, "string": str, "mapping": dict, "dict": dict}


def _sentence(error: ValidationError, kind: Any, where: str) -> str:
    """The first fault of a validation as one sentence with place, rule and value."""
    fault = error.errors(include_url=False)[0]
    steps, fields = list(fault["loc"]), dataclasses.fields(kind)
    if steps and isinstance(steps[0], int) and steps[0] < len(fields):
        steps[0] = fields[steps[0]].name  # a positional argument of the constructor
    places = [str(step) for step in steps if not isinstance(step, int)]
    name = ".".join([*([where] if where else []), *places])
    code, context = fault["type"], fault.get("ctx", {})
    if code == "unexpected_keyword_argument":
        names = ", ".join(field.name for field in dataclasses.fields(kind))
        return f"There is no setting {name!r}. Known here are: {names}."
    if code in ("missing", "missing_argument"):
        return f"The setting {name!r} must be given."
    if code == "literal_error":
        choices = str(context["expected"]).replace(" or ", ", ").replace("'", "")
        rule = f"must be one of {choices}"
    elif code in _RULES:
        rule = _RULES[code].format(**context)
    elif code.startswith(("tuple", "list")):
        rule = "must be a list"
    elif code.partition("_")[0] in _WANTED:
        rule = f"must be {_KINDS[_WANTED[code.partition('_')[0]]]}"
    else:
        rule = f"is not valid ({fault['msg']})"
    return f"The setting {name!r} {rule}, not {fault['input']!r}."
