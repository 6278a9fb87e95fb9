"""One small mechanism for everything that registers by a decorator: corpora, features, models."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from typing import Generic, TypeVar

from aver.errors import SettingsError

T = TypeVar("T")


class Registry(Generic[T]):
    """Named classes of one kind, found by lying in their folder.

    Parameters
    ----------
    kind : str
        What the entries are, for messages: ``"corpus"``, ``"feature"``, ``"model"``.
    package : str
        The package whose modules register entries; its modules are imported at the first look-up.
    """

    def __init__(self, kind: str, package: str) -> None:
        self.kind = kind
        self._package = package
        self._entries: dict[str, type[T]] = {}
        self._discovered = False

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Class decorator that makes a class known under `name`."""

        def add(entry: type[T]) -> type[T]:
            known = self._entries.get(name)
            if known is not None and known.__qualname__ != entry.__qualname__:
                raise SettingsError(f"Two {self.kind} classes are both named {name!r}.")
            self._entries[name] = entry
            return entry

        return add

    def _discover(self) -> None:
        if self._discovered:
            return
        self._discovered = True
        package = importlib.import_module(self._package)
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{self._package}.{module.name}")

    def get(self, name: str) -> type[T]:
        """Look one class up.

        Raises
        ------
        SettingsError
            If nothing of that name is registered; the message lists what is.
        """
        self._discover()
        if name not in self._entries:
            raise SettingsError(
                f"There is no {self.kind} named {name!r}. Known are: {', '.join(self.names())}."
            )
        return self._entries[name]

    def names(self) -> tuple[str, ...]:
        """All registered names, sorted."""
        self._discover()
        return tuple(sorted(self._entries))
