"""Named tables of corpora, split rules, features, models and reproductions.

A registry maps a name to the place of its class, ``"package.module:Class"``. A class is imported
when it is first asked for, so that predicting with one model does not import the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Generic, TypeVar

from aver.compatibility import NAMES
from aver.errors import SettingsError

T = TypeVar("T")

_script_classes: list[type] = []


def has_script_classes() -> bool:
    """Whether a class that the running script itself defines was registered.

    Other processes then have to run the script too, to know the class.
    """
    return bool(_script_classes)


class Registry(Generic[T]):
    """Classes of one kind, by name.

    Parameters
    ----------
    kind : str
        What the entries are, for messages: ``"corpus"``, ``"feature"``, ``"model"``.
    table : mapping of str to str
        Name to ``"package.module:Class"`` of the classes in this package.
    group : str
        Entry point group under which other packages add classes, such as ``"aver.models"``.

    Examples
    --------
    >>> counters = Registry("counter", {"plain": "collections:Counter"}, "example.counters")
    >>> counters.get("plain")([1, 1]).most_common()
    [(1, 2)]
    """

    def __init__(self, kind: str, table: Mapping[str, str], group: str) -> None:
        self.kind = kind
        self._table = dict(table)
        self._group = group
        self._classes: dict[str, type[T]] = {}
        self._others: dict[str, str] | None = None

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator that adds a class under `name` for the rest of this process.

        Raises
        ------
        SettingsError
            If another class has that name.
        """

        def add(entry: type[T]) -> type[T]:
            known = self._classes.get(name)
            if name in self._table or (known and known.__qualname__ != entry.__qualname__):
                raise SettingsError(f"Two {self.kind} classes are both named {name!r}.")
            self._classes[name] = entry
            if entry.__module__ == "__main__":
                _script_classes.append(entry)
            return entry

        return add

    def get(self, name: str) -> type[T]:
        """Import and return the class of that name, or of its name in version 0.1.

        Raises
        ------
        SettingsError
            If nothing of that name is registered; the message lists the known names.
        """
        if name not in self.names():
            name = NAMES.get(name, name)
        if name not in self._classes:
            place = self._table.get(name) or self._entry_points().get(name)
            if place is None:
                raise SettingsError(
                    f"There is no {self.kind} named {name!r}. Known are: {', '.join(self.names())}."
                )
            module, _, attribute = place.partition(":")
            self._classes[name] = getattr(import_module(module), attribute)
        return self._classes[name]

    def names(self) -> tuple[str, ...]:
        """All registered names, sorted."""
        return tuple(sorted({*self._table, *self._classes, *self._entry_points()}))

    def _entry_points(self) -> dict[str, str]:
        if self._others is None:
            self._others = {one.name: one.value for one in entry_points(group=self._group)}
        return self._others
