"""`Reproduction`: a paper's tables and figures, row by row; one subclass per paper."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any, ClassVar, Literal

from aver.corpora.corpus import Corpus, Selection
from aver.errors import SettingsError
from aver.evaluation.published import published_classes, published_numbers
from aver.registry import Registry
from aver.splits.rule import make_split, on_validation
from aver.splits.split import Split

ProtocolKind = Literal["paper", "scripts", "clean"]

PROTOCOL_TITLES: Mapping[ProtocolKind, str] = {
    "paper": "paper protocol (LEAKS)",
    "scripts": "public scripts, not the paper (LEAKS)",
    "clean": "clean protocol",
}
"""What tables call the protocols, in the order of their columns. ``"scripts"`` repeats what public
scripts for a kind of network do and its paper does not."""

PROTOCOLS = tuple(PROTOCOL_TITLES)


@dataclass(frozen=True)
class SystemChoice:
    """A preset with changed settings.

    Parameters
    ----------
    preset : str
    overrides : mapping of str to JSON value
        By dotted key, as for `aver.models.base.presets.load_preset`.
    name : str
        For tables.
    deterministic : bool
        Whether its training does not depend on the seed, so that one seed is enough.
    leaking : bool
        Whether a leaking protocol runs the system's own one (`Recognizer.fit_predict_leaking`);
        otherwise the system is fitted as usual on the split of that protocol.
    """

    preset: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    deterministic: bool = False
    leaking: bool = True


MAJORITY = SystemChoice("majority", deterministic=True)
"""The baseline that always predicts the most frequent class."""


def functionals(*modalities: str, preset: str = "statistics-logistic") -> SystemChoice:
    """The baseline on functionals of these modalities."""
    return SystemChoice(preset, {"modalities": list(modalities)}, deterministic=True)


@dataclass(frozen=True)
class Protocol:
    """How the corpus is split, and whether the system's own leaking protocol is run.

    Parameters
    ----------
    kind : {"paper", "scripts", "clean"}
    rule : str
        Registered name of a split rule.
    rule_settings : mapping of str to JSON value
    leaking : bool
        Run the system's own leaking protocol (`Recognizer.fit_predict_leaking`).
    predicted : {"test", "validation"}
        Which clips of each fold are predicted; validation clips to compare settings, see
        `aver.splits.rule.on_validation`.
    """

    kind: ProtocolKind
    rule: str
    rule_settings: Mapping[str, Any] = field(default_factory=dict)
    leaking: bool = False
    predicted: Literal["test", "validation"] = "test"

    @property
    def mark(self) -> str:
        """What titles add if validation clips are predicted."""
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
    """The clean protocol by number of speakers: from ten on five folds, else leave one out."""
    if speakers < 10:
        return Protocol("clean", "leave-one-speaker-out")
    return Protocol("clean", "speaker-kfold", {"folds": 5})


@dataclass(frozen=True)
class ReproductionSettings:
    """What a user chooses to reproduce a table.

    Parameters
    ----------
    corpus : str
        Registered name of the corpus.
    speakers : int
        Number of speakers of the corpus.
    preset : str
        Sizes of the networks: the paper's, or ones that a laptop can train.
    overrides : mapping of str to JSON value
        Settings that replace the preset's in every row of the paper's system.
    video, audio : tuple of str
        Names of the branches that read them; ``"action_units"`` may take the place of video.
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

    def network(self, preset: str = "") -> str:
        """Name of the preset, as columns and titles have it; `preset` as for `sizes`."""
        return PurePath(preset or self.preset).name.removesuffix(".yaml")

    def sizes(self, preset: str = "") -> str:
        """The preset and its changed settings, as tables name them.

        Parameters
        ----------
        preset : str
            Of a table that does not take the chosen one; see `TablePlan.preset`.
        """
        changed = " ".join(f"{key}={json.dumps(value)}" for key, value in self.overrides.items())
        return f"preset {preset or self.preset}" + (f" with {changed}" if changed else "")


@dataclass(frozen=True)
class TableRow:
    """One row of a table.

    Parameters
    ----------
    label : str
        As in the paper; rows that the paper lacks are marked "ours".
    system : SystemChoice or None
        What to run; None for results of other authors and for late fusion.
    published : str
        Key of the printed number on the chosen corpus; empty if there is none.
    fused_from : tuple of str
        Labels of the rows whose probabilities are averaged in this one.
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
    protocols : mapping of {"paper", "scripts", "clean"} to Protocol
        In the order of the columns.
    by_fold : bool
        Print every fold.
    inferior : mapping of str to tuple of str
        Label of a row with several modalities, and labels of the unimodal rows that it should not
        fall below in any fold.
    compared : tuple of (str, str)
        Labels of rows whose paired difference is tested.
    notes : tuple of str
    preset : str
        What the rows are made with, if it is not the chosen preset.
    """

    number: str
    title: str
    rows: tuple[TableRow, ...]
    protocols: Mapping[ProtocolKind, Protocol]
    by_fold: bool = False
    inferior: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    compared: tuple[tuple[str, str], ...] = ()
    notes: tuple[str, ...] = ()
    preset: str = ""


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
    """A figure of accuracy against a setting: one point for each row of a table.

    Parameters
    ----------
    number, title : str
    table : str
        Number of the table whose rows are drawn.
    places : tuple of float
        Values of the setting, one for each row that is run, in the order of the rows.
    along : str
        Label of the axis, with its unit.
    lines : tuple of str
        Names of the lines, if there are several; the rows of each line are consecutive, one for
        every place.
    printed_times : mapping of float to str
        By value of the setting, the training time that the paper prints; if there are any, a table
        gives the measured times of every value beside them.
    """

    number: str
    title: str
    table: str
    places: tuple[float, ...]
    along: str
    lines: tuple[str, ...] = ()
    printed_times: Mapping[float, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SystemPlan:
    """A figure of one system: losses, confusions, or accuracy against an offset of the audio.

    Parameters
    ----------
    number, title : str
    system : SystemChoice
    protocols : mapping of {"paper", "clean"} to Protocol
    printed : mapping of str to mapping of str to str
        By column of a table of recalls: class to key of the printed number on the chosen corpus.
        A column without numbers is not shown.
    """

    number: str
    title: str
    system: SystemChoice
    protocols: Mapping[ProtocolKind, Protocol]
    printed: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


class Reproduction(ABC):
    """The tables and figures of a paper.

    Subclass it in a file of its own in `aver.evaluation.reproductions` and decorate it with
    ``@reproductions.register("name")``.
    """

    name: ClassVar[str]
    source: ClassVar[str]
    paper: ClassVar[str] = ""
    """Name of the paper among `aver.evaluation.published.published_papers`; may be empty."""
    speech_of: ClassVar[tuple[str, ...]] = ()
    """Corpora of speech and songs of which the paper uses speech only."""
    tables: ClassVar[tuple[str, ...]]
    """Numbers of the tables that can be reproduced."""
    figures: ClassVar[tuple[str, ...]]
    """Numbers of the figures that can be reproduced."""

    def __init__(self, settings: ReproductionSettings) -> None:
        self.settings = settings

    @classmethod
    def papers_clips(cls, corpus: Corpus, *, emotions: bool = True, channel: bool = True) -> Corpus:
        """The clips of a corpus that the paper uses.

        Parameters
        ----------
        corpus : Corpus
        emotions, channel : bool
            Whether to keep the paper's classes only, and its vocal channel only.

        Returns
        -------
        Corpus
            The same one if the paper prints no number for it.
        """
        classes = published_classes(cls.paper, corpus.label) if emotions else ()
        kept = tuple(name for name in classes if name in corpus.classes)
        spoken = channel and corpus.label in cls.speech_of
        return Selection(emotions=kept, channel="speech" if spoken else "").apply(corpus)

    @abstractmethod
    def plans(self) -> Mapping[str, Callable[[], TablePlan]]:
        """Functions that make the plan of each table, by its number."""

    def table(self, number: str) -> TablePlan:
        """The plan of a table.

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
        """The plan of a figure of deep features.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("figure of deep features", number, ())

    def curve(self, number: str) -> CurvePlan:
        """The plan of a figure of accuracy against a setting.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("curve", number, ())

    def one_system(self, number: str) -> SystemPlan:
        """The plan of a figure of one system.

        Raises
        ------
        SettingsError
            If there is no such figure.
        """
        raise self.unknown("figure of one system", number, ())

    def protocols_of(self, paper: Protocol, clean: Protocol) -> Mapping[ProtocolKind, Protocol]:
        """The paper's protocol, and the clean one: as given, or as the settings choose it."""
        chosen = self.settings.clean_rule
        if chosen:
            clean = Protocol("clean", chosen, self.settings.clean_settings)
        return {"paper": paper, "clean": clean}

    def printed(self, *keys: str) -> str:
        """The first of these keys with a published number on the chosen corpus; may be empty."""
        for key in keys:
            number = published_numbers().get(key)
            if number is not None and number.corpus == self.settings.corpus:
                return key
        return ""

    def printed_recalls(self, start: str) -> dict[str, str]:
        """Class to key of the printed recalls on the chosen corpus whose keys start so."""
        return {
            key.removeprefix(start): key
            for key, number in published_numbers().items()
            if key.startswith(start) and number.corpus == self.settings.corpus
        }

    def rows_of_others(self, prefix: str, also: tuple[str, ...] = ()) -> list[TableRow]:
        """Rows of other systems' printed results on the chosen corpus, in the paper's order.

        Parameters
        ----------
        prefix : str
            Of the numbers' keys: the table.
        also : tuple of str
            Ends of keys of the paper's own earlier systems.
        """
        return [
            TableRow(number.row, published=number.key)
            for number in published_numbers().values()
            if number.key.startswith(prefix)
            and (number.by != "paper" or number.key.removeprefix(prefix) in also)
            and number.corpus == self.settings.corpus
        ]

    def fold_name(self, speakers: tuple[str, ...]) -> str:
        """The paper's name for the fold that tests these speakers."""
        return ", ".join(speakers)

    def unknown(self, kind: str, number: str, known: tuple[str, ...]) -> SettingsError:
        """The error for a table or figure that does not exist."""
        return SettingsError(
            f"{self.name} has no {kind} {number!r} to reproduce. "
            f"It has: {', '.join(known) or 'none'}."
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
"""All papers that can be reproduced. ``@reproductions.register("name")`` adds one."""
