"""`Reproduction`: a paper's tables and figures, row by row; one subclass per paper."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.evaluation.published import published_numbers
from aver.registry import Registry
from aver.splits.rule import make_split, on_validation
from aver.splits.split import Split

ProtocolKind = Literal["paper", "clean"]


@dataclass(frozen=True)
class SystemChoice:
    """A preset with changes.

    Parameters
    ----------
    preset : str
    overrides : mapping of str to JSON value
        By dotted key, as for `aver.models.base.presets.load_preset`.
    name : str
        For tables.
    draws : bool
        Whether chance has a part in its training; where it has none, one seed is enough.
    """

    preset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    draws: bool = True


@dataclass(frozen=True)
class Protocol:
    """How clips are divided, and whether the system may leak by itself.

    Parameters
    ----------
    kind : {"paper", "clean"}
    rule : str
        Registered name of a split rule.
    rule_settings : mapping of str to JSON value
    leaking : bool
        Run the system's own leaking protocol (``fit_predict_leaking``).
    predicted : {"test", "validation"}
        For which clips of each fold; validation clips for comparing settings, see
        `aver.splits.rule.on_validation`.
    """

    kind: ProtocolKind
    rule: str
    rule_settings: Mapping[str, Any] = field(default_factory=dict)
    leaking: bool = False
    predicted: Literal["test", "validation"] = "test"

    @property
    def mark(self) -> str:
        """What titles add where it is not test clips that are answered."""
        return ", validation clips" if self.predicted == "validation" else ""

    def split(self, corpus: Corpus) -> Split:
        """The split of a corpus under this protocol.

        Raises
        ------
        SettingsError, SplitError, LabelError
            As `aver.splits.rule.make_split` and `aver.splits.rule.on_validation`.
        """
        made = make_split(corpus, self.rule, **self.rule_settings)
        return on_validation(made) if self.predicted == "validation" else made


def folds_of_speakers(speakers: int) -> Protocol:
    """The clean protocol for a corpus of so many speakers: five folds, or each alone below ten."""
    if speakers < 10:
        return Protocol("clean", "leave-one-speaker-out")
    return Protocol("clean", "speaker-kfold", {"folds": 5})


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
