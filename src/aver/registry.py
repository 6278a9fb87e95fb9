"""Named tables of corpora, split rules, features, models and reproductions.

A registry maps a name to the place of its class, ``"package.module:Class"``. A class is imported
when it is first asked for, so that predicting with one model does not import the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from aver.compatibility import NAMES
from aver.errors import AverError, SettingsError

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
        self._others: dict[str, EntryPoint] | None = None

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
            If nothing of that name is registered; the message lists the known names. If the
            package that adds it cannot be imported; the message names the package.
        """
        if name not in self.names():
            name = NAMES.get(name, name)
        if name not in self._classes:
            if name in self._table:
                module, _, attribute = self._table[name].partition(":")
                self._classes[name] = getattr(import_module(module), attribute)
            elif name in self._entry_points():
                self._classes[name] = self._load(self._entry_points()[name])
            else:
                raise SettingsError(
                    f"There is no {self.kind} named {name!r}. Known are: {', '.join(self.names())}."
                )
        return self._classes[name]

    def usable(self) -> dict[str, type[T]]:
        """All classes by name, without those of packages that cannot be imported."""
        classes = {}
        for name in self.names():
            try:
                classes[name] = self.get(name)
            except SettingsError:
                if not self.package(name):
                    raise
        return classes

    def package(self, name: str) -> str:
        """The package that adds this name by an entry point; empty for those of this package."""
        if name in self._table or name not in self._entry_points():
            return ""
        return _package_of(self._entry_points()[name])

    def _load(self, entry: EntryPoint) -> type[T]:
        """Import what another package adds; whatever its code raises is a fault of that package."""
        try:
            loaded = entry.load()
        except AverError as error:
            reason = str(error)
        except Exception as error:  # the code of others
            reason = f"{type(error).__name__}: {error}"
        else:
            if isinstance(loaded, type):
                return loaded
            reason = f"{entry.value} is not a class"
        raise SettingsError(
            f"The {self.kind} {entry.name!r} of the package {_package_of(entry)} cannot be used: "
            f"{reason.rstrip('.')}. Repair or uninstall that package."
        ) from None

    def names(self) -> tuple[str, ...]:
        """All registered names, sorted."""
        return tuple(sorted({*self._table, *self._classes, *self._entry_points()}))

    def _entry_points(self) -> dict[str, EntryPoint]:
        if self._others is None:
            self._others = {one.name: one for one in entry_points(group=self._group)}
        return self._others


def _package_of(entry: EntryPoint) -> str:
    return entry.dist.name if entry.dist is not None else entry.module
