"""`Finding`: one thing that an audit found, and where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aver.audit.kind import KINDS, Kind, Level


@dataclass(frozen=True)
class Finding:
    """One kind of fault at one place.

    Parameters
    ----------
    kind : str
        A key of `aver.audit.kind.KINDS`.
    message : str
        One whole sentence with the numbers.
    fold : int or None
        Counted from 1; None where the whole split is meant.
    parts : tuple of str
        The parts concerned, for instance ``("train", "test")``.
    subjects : tuple of str
        All speakers, clips, sentences or classes concerned, sorted; pairs of clips are written
        ``a = b``.
    declared : bool
        Whether the split itself says so. A declared leak is still a leak.
    """

    kind: str
    message: str
    fold: int | None = None
    parts: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    declared: bool = False

    @property
    def about(self) -> Kind:
        """Title, meaning and advice."""
        return KINDS[self.kind]

    @property
    def level(self) -> Level:
        """Leak, warning or note."""
        return self.about.level

    @property
    def place(self) -> str:
        """Where, in words.

        Examples
        --------
        >>> Finding("shared-speakers", "", fold=2, parts=("train", "test")).place
        'fold 2, train and test'
        """
        fold = f"fold {self.fold}" if self.fold is not None else ""
        return ", ".join(word for word in (fold, " and ".join(self.parts)) if word)

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON values."""
        return {
            "kind": self.kind,
            "level": str(self.level),
            "fold": self.fold,
            "parts": list(self.parts),
            "message": self.message,
            "meaning": self.about.meaning,
            "advice": self.about.advice,
            "declared": self.declared,
            "count": len(self.subjects),
            "subjects": list(self.subjects),
        }
