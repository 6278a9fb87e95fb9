"""`Reproduction`: what a paper's tables and figures are, row by row; one subclass per paper."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from typing import Any, ClassVar

from aver.errors import SettingsError
from aver.evaluation.run import Protocol, ProtocolKind, SystemChoice
from aver.registry import Registry


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
        What the system, or the human raters, had to go by.
    value : float
        In percent: as printed, or the mean of `folds` where only these are.
    folds : mapping of str to float
        Printed folds, in order; empty where there are none.
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
    """Look one printed number up.

    Raises
    ------
    SettingsError
        If there is none of that key.

    Examples
    --------
    >>> published("mrpn/table-4/ravdess/n2-lstm").value
    90.8
    """
    try:
        return published_numbers()[key]
    except KeyError:
        raise SettingsError(f"No published number has the key {key!r}.") from None


def human_raters(corpus: str) -> tuple[PublishedNumber, ...]:
    """What human raters reach on a corpus, each with the modality that they were given."""
    return tuple(
        number
        for number in published_numbers().values()
        if number.corpus == corpus and number.key.startswith("human/")
    )


def contradictions(keys: tuple[str, ...]) -> tuple[str, ...]:
    """What the papers say otherwise elsewhere about any of these numbers."""
    known = published_numbers()
    found = []
    for entry in _data()["contradictions"]:
        for key in (*entry["keys"], *keys):
            if key not in known:
                raise SettingsError(f"No published number has the key {key!r}.")
        if set(entry["keys"]) & set(keys):
            found.append(entry["text"])
    return tuple(found)


@dataclass(frozen=True)
class ReproductionSettings:
    """What a user chooses when repeating a table.

    Parameters
    ----------
    corpus : str
        Registered name of the corpus.
    speakers : int
        In the corpus.
    preset : str
        Sizes to repeat it with: the paper's, or ones that a laptop can train.
    overrides : mapping of str to JSON value
        Settings that replace the preset's in every row of the paper's system.
    video, audio : tuple of str
        Names of the branches that play these parts; ``"action_units"`` may stand for video.
    seeds : tuple of int
    clean_rule : str
        Split rule of the clean protocol; empty for the paper's folds with nested validation.
    clean_settings : mapping of str to JSON value
        Settings of that rule.
    """

    corpus: str
    speakers: int
    preset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    video: tuple[str, ...] = ("video",)
    audio: tuple[str, ...] = ("audio",)
    seeds: tuple[int, ...] = (0,)
    clean_rule: str = ""
    clean_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def sizes(self) -> str:
        """The preset, and what replaces its settings, as tables name them."""
        changed = " ".join(f"{key}={json.dumps(value)}" for key, value in self.overrides.items())
        return f"preset {self.preset}" + (f" with {changed}" if changed else "")


@dataclass(frozen=True)
class TableRow:
    """One row of a table.

    Parameters
    ----------
    label : str
        As in the paper; rows of ours say so.
    system : SystemChoice or None
        What to run; None where nothing is run: other authors' results, or late fusion.
    published : str
        Key of the printed number on the chosen corpus; empty where there is none.
    fused_from : tuple of str
        Labels of rows whose probabilities are averaged to make this one.
    """

    label: str
    system: SystemChoice | None = None
    published: str = ""
    fused_from: tuple[str, ...] = ()


@dataclass(frozen=True)
class TablePlan:
    """A table to be filled.

    Parameters
    ----------
    number : str
        As in the paper.
    title : str
    rows : tuple of TableRow
    protocols : mapping of {"paper", "clean"} to Protocol
    by_fold : bool
        Print every fold.
    inferior : mapping of str to tuple of str
        Labels of joint rows, and of the rows that each should not fall below in any fold.
    compared : tuple of (str, str)
        Labels of rows whose paired difference is tested.
    notes : tuple of str
    """

    number: str
    title: str
    rows: tuple[TableRow, ...]
    protocols: Mapping[ProtocolKind, Protocol]
    by_fold: bool = False
    inferior: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class EmbeddingPlan:
    """A figure of deep features, one panel per run.

    Parameters
    ----------
    number, title : str
    panels : mapping of str to (SystemChoice, str)
        Per panel the run and the name of its embedding.
    protocol : Protocol
    """

    number: str
    title: str
    panels: Mapping[str, tuple[SystemChoice, str]]
    protocol: Protocol


@dataclass(frozen=True)
class CurvePlan:
    """A figure of accuracy along a setting: the rows of a table, one place each.

    Parameters
    ----------
    number, title : str
    table : str
        Number of the table whose rows are drawn.
    places : tuple of float
        One for each row that is run, in the order of the rows.
    along : str
        Name of the axis, with its unit.
    lines : tuple of str
        Where the rows make several lines, one after the other: their names. Each line has a row
        for every place.
    """

    number: str
    title: str
    table: str
    places: tuple[float, ...]
    along: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True)
class SystemPlan:
    """A figure of one system: its losses, its confusions, its tolerance.

    Parameters
    ----------
    number, title : str
    system : SystemChoice
    protocols : mapping of {"paper", "clean"} to Protocol
    """

    number: str
    title: str
    system: SystemChoice
    protocols: Mapping[ProtocolKind, Protocol]


class Reproduction(ABC):
    """What a paper's tables and figures are.

    Subclass it in a file of its own in `aver.evaluation.reproductions` and decorate it with
    ``@reproductions.register("name")``.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    tables: ClassVar[tuple[str, ...]]
    """Numbers of the tables that can be repeated."""
    figures: ClassVar[tuple[str, ...]]
    """Numbers of the figures that can be repeated."""

    def __init__(self, settings: ReproductionSettings) -> None:
        self.settings = settings

    @abstractmethod
    def plans(self) -> Mapping[str, Callable[[], TablePlan]]:
        """What makes the plan of each table, by its number."""

    def table(self, number: str) -> TablePlan:
        """What a table consists of.

        Raises
        ------
        SettingsError
            If there is no such table.
        """
        plans = self.plans()
        if number not in plans:
            raise self.unknown("table", number, self.tables)
        return plans[number]()

    def embeddings(self, number: str) -> EmbeddingPlan:
        """What a figure of deep features consists of.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("figure of deep features", number, ())

    def curve(self, number: str) -> CurvePlan:
        """What a figure of accuracy along a setting consists of.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("curve", number, ())

    def one_system(self, number: str) -> SystemPlan:
        """What a figure of one system consists of.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("figure of one system", number, ())

    def protocols_of(self, paper: Protocol, clean: Protocol) -> Mapping[ProtocolKind, Protocol]:
        """The paper's protocol, and the clean one: as given, or as the settings want it."""
        chosen = self.settings.clean_rule
        if chosen:
            clean = Protocol("clean", chosen, self.settings.clean_settings)
        return {"paper": paper, "clean": clean}

    def printed(self, *keys: str) -> str:
        """The first of these keys under which a number on the chosen corpus was published.

        Empty where there is none.
        """
        for key in keys:
            number = published_numbers().get(key)
            if number is not None and number.corpus == self.settings.corpus:
                return key
        return ""

    def fold_name(self, speakers: tuple[str, ...]) -> str:
        """The paper's name for the fold that tests these speakers."""
        return ", ".join(speakers)

    def unknown(self, kind: str, number: str, known: tuple[str, ...]) -> SettingsError:
        """The error for a table or figure that is not there."""
        return SettingsError(
            f"{self.name} has no {kind} {number!r} to repeat. It has: {', '.join(known) or 'none'}."
        )


_PAPERS = "aver.evaluation.reproductions"

reproductions: Registry[Reproduction] = Registry(
    "reproduction",
    {
        "mrpn": f"{_PAPERS}.mrpn:MrpnReproduction",
        "snn-cross-modal": f"{_PAPERS}.snn_cross_modal:SnnCrossModalReproduction",
        "synch-graph": f"{_PAPERS}.synch_graph:SynchGraphReproduction",
        "temporal-aggregation": f"{_PAPERS}.temporal_aggregation:TemporalAggregationReproduction",
    },
    "aver.reproductions",
)
"""All papers that can be repeated. ``@reproductions.register("name")`` adds one."""
