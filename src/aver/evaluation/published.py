"""Numbers printed by the papers and by other authors, from `published.yaml`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any

from aver.errors import SettingsError


@dataclass(frozen=True)
class PublishedNumber:
    """One printed number.

    Parameters
    ----------
    key : str
        For instance ``"mrpn/table-4/ravdess/n2-lstm"``.
    paper, place, row : str
        Where it is printed.
    corpus : str
        Registered name of the corpus.
    classes : tuple of str
        Numbers over other classes are not comparable.
    modality : str
        What the system, or the human raters, were given.
    value : float
        In percent: as printed, or the mean of `folds` if only these are printed.
    folds : mapping of str to float
        Printed folds, in order; may be empty.
    measure : {"accuracy", "recall"}
    by : {"paper", "others", "humans"}
        Whose result it is.
    leaks : tuple of str
        What the paper's protocol shares between training and test.
    note : str
    """

    key: str
    paper: str
    place: str
    row: str
    corpus: str
    classes: tuple[str, ...]
    modality: str
    value: float
    folds: Mapping[str, float] = field(default_factory=dict)
    measure: str = "accuracy"
    by: str = "paper"
    leaks: tuple[str, ...] = ()
    note: str = ""

    @property
    def source(self) -> str:
        """Paper, place and row in one line."""
        return f"{self.paper}, {self.place}, {self.row}"


@dataclass(frozen=True)
class Paper:
    """A paper that prints numbers: how to cite it, and what its protocol leaks."""

    name: str
    citation: str
    doi: str
    leaks: tuple[str, ...]


@lru_cache(maxsize=1)
def _data() -> dict[str, Any]:
    import yaml

    text = resources.files("aver.evaluation").joinpath("published.yaml").read_text("utf-8")
    return yaml.safe_load(text)


@lru_cache(maxsize=1)
def published_papers() -> Mapping[str, Paper]:
    """All papers by name."""
    return {
        name: Paper(name, entry["citation"], entry["doi"], tuple(entry["leaks"]))
        for name, entry in _data()["papers"].items()
    }


@lru_cache(maxsize=1)
def published_numbers() -> Mapping[str, PublishedNumber]:
    """All printed numbers by key, in the papers' order."""
    numbers: dict[str, PublishedNumber] = {}
    for table in _data()["tables"]:
        for row in table["rows"]:
            number = _number(table, row)
            if number.key in numbers:
                raise SettingsError(f"published.yaml holds {number.key!r} twice.")
            numbers[number.key] = number
    return numbers


def _number(table: Mapping[str, Any], row: Mapping[str, Any]) -> PublishedNumber:
    folds = dict(zip(table.get("fold_names", ()), row.get("folds", ()), strict=False))
    by = row.get("by", "paper")
    value = row["value"] if "value" in row else sum(folds.values()) / len(folds)
    return PublishedNumber(
        key=row["key"],
        paper=table["paper"],
        place=table["place"],
        row=row["row"],
        corpus=table["corpus"],
        classes=tuple(_data()["class_sets"][table["classes"]]),
        modality=row["modality"],
        value=float(value),
        folds=folds,
        measure=table.get("measure", "accuracy"),
        by=by,
        leaks=published_papers()[table["paper"]].leaks if by == "paper" else (),
        note=row.get("note", ""),
    )


def published(key: str) -> PublishedNumber:
    """Look up one printed number.

    Raises
    ------
    SettingsError
        If there is none with that key.

    Examples
    --------
    >>> published("mrpn/table-4/ravdess/n2-lstm").value
    90.8
    """
    try:
        return published_numbers()[key]
    except KeyError:
        raise SettingsError(f"No published number has the key {key!r}.") from None


def published_classes(paper: str, corpus: str) -> tuple[str, ...]:
    """The classes of a paper's own numbers on a corpus, in canonical order; empty if it has none.

    Examples
    --------
    >>> published_classes("synch-graph-2020", "ravdess")
    ('happy', 'sad', 'angry', 'fearful', 'disgust', 'surprised')
    """
    return next(
        (
            number.classes
            for number in published_numbers().values()
            if (number.paper, number.corpus, number.by) == (paper, corpus, "paper")
        ),
        (),
    )


def human_raters(corpus: str, classes: Collection[str]) -> tuple[PublishedNumber, ...]:
    """Accuracies of human raters on a corpus, each with the modality that they were given.

    Parameters
    ----------
    corpus : str
    classes : collection of str
        What they chose from; a number over other classes is not comparable and is left out.
    """
    return tuple(
        number
        for number in published_numbers().values()
        if number.corpus == corpus
        and number.key.startswith("human/")
        and set(number.classes) == set(classes)
    )


def contradictions(keys: tuple[str, ...]) -> tuple[str, ...]:
    """Where the papers print any of these numbers differently."""
    return _about("contradictions", keys)


def remarks(keys: tuple[str, ...]) -> tuple[str, ...]:
    """What the papers print about any of these numbers that is not a percentage."""
    return _about("remarks", keys)


def _about(section: str, keys: tuple[str, ...]) -> tuple[str, ...]:
    known = published_numbers()
    found = []
    for entry in _data()[section]:
        for key in (*entry["keys"], *keys):
            if key not in known:
                raise SettingsError(f"No published number has the key {key!r}.")
        if set(entry["keys"]) & set(keys):
            found.append(entry["text"])
    return tuple(found)
