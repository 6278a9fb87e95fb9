"""Checks that the numbers of a settings dataclass lie where they may."""

from __future__ import annotations

import math
from dataclasses import fields

from aver.errors import SettingsError


def require_finite(settings: object) -> None:
    """Raise unless every number among the fields is finite."""
    for item in fields(settings):  # type: ignore[arg-type]
        value = getattr(settings, item.name)
        if isinstance(value, (int, float)) and not math.isfinite(value):
            raise SettingsError(f"{_name(settings, item.name)} must be finite, not {value}.")


def require_positive(settings: object, *names: str) -> None:
    """Raise unless the named fields are positive."""
    for name in names:
        if not getattr(settings, name) > 0:
            raise SettingsError(
                f"{_name(settings, name)} must be positive, not {getattr(settings, name)}."
            )


def require_not_negative(settings: object, *names: str) -> None:
    """Raise unless the named fields are zero or more."""
    for name in names:
        if not getattr(settings, name) >= 0:
            raise SettingsError(
                f"{_name(settings, name)} must be zero or more, not {getattr(settings, name)}."
            )


def _name(settings: object, field: str) -> str:
    return f"{type(settings).__name__}.{field}"
