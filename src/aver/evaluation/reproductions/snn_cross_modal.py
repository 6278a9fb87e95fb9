"""Tables I to V and Figures 3 to 5 of the cross-modal paper (Mansouri-Benssassi & Ye 2019)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Literal

from aver.errors import SettingsError
from aver.evaluation.published import published_numbers
from aver.evaluation.reproduction import (
    CurvePlan,
    Protocol,
    ProtocolKind,
    Reproduction,
    SystemChoice,
    SystemPlan,
    TablePlan,
    TableRow,
    folds_of_speakers,
)
from aver.models.base.presets import load_preset


def settings_of_part(preset: str, own: str, wanted: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of the whole that a part has too, in its words; foreign ones fall away.

    Of the cross-modal network, ``audio.features`` is ``layer.features`` of the voice alone, and
    means nothing to the face alone; ``audio.feature_settings.coefficients`` means nothing to a mel
    spectrogram.

    Parameters
    ----------
    preset : str
        Of the part.
    own : str
        What the whole calls the part's one layer, as ``audio``; empty where the part has the same
        layers under the same names.
    wanted : mapping of str to JSON value
        By dotted key.
    """
    kind, settings = load_preset(preset)
    names = {entry.name for entry in fields(kind.settings_type)}
    found = {}
    for key, value in wanted.items():
        if own and key.startswith(f"{own}."):
            key = f"layer.{key.removeprefix(f'{own}.')}"
        if key.partition(".")[0] in names and not _foreign_to_feature(key, settings):
            found[key] = value
    return found


def _foreign_to_feature(key: str, settings: Any) -> bool:
    """Whether a dotted key, as ``layer.feature_settings.<name>``, names what a feature lacks."""
    layer, _, rest = key.partition(".")
    if not rest.startswith("feature_settings."):
        return False
    feature = getattr(settings, layer).make_feature()
    return rest.split(".")[1] not in {entry.name for entry in fields(feature)}


Part = Literal["audio", "video", "cross-modal", "early-fusion"]

_WINDOWS = (5, 10, 20, 40)
_FEATURES = (10, 20, 40, 60)
_MFCC, _MEL = "MFCCs", "Mel-scale spectrogram"
_ENHANCED = "SNN with cross-modal enhancement"
_FUSED = "Multimodal integration (early fusion)"
_STATISTICS = "statistics-logistic, sound, ours"
_TRAINING_SIZE = (
    "The clean protocol trains on fewer clips than the paper's 80 %: the gap between the protocols "
    "is not the leak alone."
)
_PAPER_SIZES = (
    "Whatever the preset, these rows are snn-audio-paper with other windows: the compact layer is "
    "made for windows of one coefficient, and runs away with windows over all of them."
)
_ON_VALIDATION = (
    "Clean: each fold learns from its training speakers and answers for its validation speakers; "
    "its test speakers are left alone, and a regression takes the middle strength."
)


class SnnCrossModalReproduction(Reproduction):
    """Spiking networks of voice and face, alone, one enhancing the other, and joined early.

    Notes
    -----
    Source: Mansouri-Benssassi & Ye 2019, Tables I to V, Figures 3, 4 and 5; section V-A: a random
    80/20 split.
    Differs from the paper: Figure 3 is printed as a picture; windows of 5 to 40 and 10 to 60
    features are ours, and under the clean protocol it shows validation clips. Tables "audio",
    "both" and "labels" are ours.
    """

    name = "snn-cross-modal"
    source = "Mansouri-Benssassi & Ye 2019, Tables I to V, Figures 3, 4 and 5"
    tables = ("I", "II", "III", "IV", "V", "windows", "audio", "both", "labels")
    figures = ("3", "4", "5", "incongruent")

    def plans(self) -> Mapping[str, Callable[[], TablePlan]]:
        """Tables I to V of the paper, the grid of its Figure 3, and three of ours."""
        return {
            "I": self._table_1,
            "II": self._table_2,
            "III": self._table_3,
            "IV": self._table_4,
            "V": self._table_5,
            "windows": self._table_windows,
            "audio": self._table_audio,
            "both": self._table_both,
            "labels": self._table_labels,
        }

    def curve(self, number: str) -> CurvePlan:
        """Figure 3: accuracy along the window's width, a line for each number of features."""
        if number != "3":
            raise self.unknown("curve", number, ("3",))
        lines = tuple(f"{name}, {count}" for name in (_MFCC, _MEL) for count in _FEATURES)
        return CurvePlan(
            "3",
            "Accuracy along the window, by feature maps",
            "windows",
            tuple(float(width) for width in _WINDOWS),
            "width of the window in frames",
            lines,
        )

    def one_system(self, number: str) -> SystemPlan:
        """Figures 4 and 5, confusions of the voice alone and enhanced; ours, which sense wins."""
        parts: dict[str, tuple[str, Part]] = {
            "4": ("Confusions, audio only", "audio"),
            "5": ("Confusions, cross-modal enhancement", "cross-modal"),
            "incongruent": ("Voice and face of different emotions", "cross-modal"),
        }
        if number not in parts:
            raise self.unknown("figure of one system", number, tuple(parts))
        title, part = parts[number]
        return SystemPlan(number, title, self._system(part), self._protocols())

    def _protocols(self, *, leaking: bool = False) -> Mapping[ProtocolKind, Protocol]:
        paper = Protocol("paper", "random", {"shares": "80/20"}, leaking=leaking)
        return self.protocols_of(paper, folds_of_speakers(self.settings.speakers))

    def _preset(self, part: Part, *, mel: bool = False) -> str:
        """The preset of a part in the sizes that were asked for."""
        start = "snn-cross-modal-"
        if not self.settings.preset.startswith(start):
            raise SettingsError(
                f"The tables of {self.name} take their four networks from presets of one kind: "
                f"choose snn-cross-modal-paper or snn-cross-modal-compact, not "
                f"{self.settings.preset!r}, and change it with --set."
            )
        size = self.settings.preset.removeprefix(start)
        return f"snn-{part}-mel-{size}" if mel else f"snn-{part}-{size}"

    def _system(
        self, part: Part, changes: Mapping[str, Any] | None = None, *, mel: bool = False
    ) -> SystemChoice:
        preset = self._preset(part, mel=mel)
        wanted = {**self.settings.overrides, **(changes or {})}
        own = part if part in ("audio", "video") else ""
        return SystemChoice(preset, settings_of_part(preset, own, wanted))

    def _printed(self, table: str, row: str) -> str:
        return self.printed(f"snn/{table}/{row}", f"snn/{table}/{self.settings.corpus}/{row}")

    def _others(self, table: str) -> list[TableRow]:
        """Rows of a table that are other authors' results."""
        return [
            TableRow(number.row, published=number.key)
            for number in published_numbers().values()
            if number.key.startswith(f"snn/{table}/")
            and number.by == "others"
            and number.corpus == self.settings.corpus
        ]

    def _statistics(self, *modalities: str) -> SystemChoice:
        return SystemChoice("statistics-logistic", {"modalities": list(modalities)}, draws=False)

    def _table_1(self) -> TablePlan:
        rows = (
            TableRow(_MEL, self._system("audio", mel=True), self._printed("table-1", "mel")),
            TableRow(_MFCC, self._system("audio"), self._printed("table-1", "mfcc")),
            TableRow(_STATISTICS, self._statistics("audio")),
            TableRow("majority, ours", SystemChoice("majority", draws=False)),
        )
        compared = ((_MFCC, _MEL), (_MFCC, _STATISTICS))
        return self._plan("I", "Voice alone, by feature", rows, compared)

    def _table_2(self) -> TablePlan:
        rows = (
            *self._others("table-2"),
            TableRow("SNN, MFCC", self._system("audio"), self._printed("table-2", "snn")),
            TableRow(_STATISTICS, self._statistics("audio")),
        )
        compared = (("SNN, MFCC", _STATISTICS),)
        return self._plan("II", "Voice alone, beside others", rows, compared)

    def _table_3(self) -> TablePlan:
        rows = (
            TableRow(_MEL, self._system("cross-modal", mel=True), self._printed("table-3", "mel")),
            TableRow(_MFCC, self._system("cross-modal"), self._printed("table-3", "mfcc")),
            TableRow("MFCCs, voice alone", self._system("audio"), self._printed("table-1", "mfcc")),
        )
        compared = ((_MFCC, _MEL), (_MFCC, "MFCCs, voice alone"))
        return self._plan("III", "Voice enhanced by the face, by feature", rows, compared)

    def _table_4(self) -> TablePlan:
        rows = (
            *self._others("table-4"),
            TableRow(_ENHANCED, self._system("cross-modal"), self._printed("table-4", "snn")),
            TableRow("statistics-logistic, both, ours", self._statistics("video", "audio")),
        )
        compared = ((_ENHANCED, "statistics-logistic, both, ours"),)
        return self._plan("IV", "Voice enhanced by the face, beside others", rows, compared)

    def _table_5(self) -> TablePlan:
        rows = (
            TableRow(
                _FUSED, self._system("early-fusion"), self._printed("table-5", "early-fusion")
            ),
            TableRow(
                _ENHANCED, self._system("cross-modal"), self._printed("table-5", "cross-modal")
            ),
        )
        return self._plan("V", "Enhancement against early fusion", rows, ((_ENHANCED, _FUSED),))

    def _table_both(self) -> TablePlan:
        """Every network beside late fusion, statistics and the majority."""
        alone = ("voice alone", "face alone")
        rows = (
            TableRow(alone[0], self._system("audio")),
            TableRow(alone[1], self._system("video")),
            TableRow("late fusion", fused_from=alone),
            TableRow(_ENHANCED, self._system("cross-modal")),
            TableRow(_FUSED, self._system("early-fusion")),
            TableRow("statistics-logistic, sound", self._statistics("audio")),
            TableRow("statistics-logistic, video", self._statistics("video")),
            TableRow("statistics-logistic, both", self._statistics("video", "audio")),
            TableRow("majority", SystemChoice("majority", draws=False)),
        )
        compared = (
            *((_ENHANCED, other) for other in (*alone, "late fusion", _FUSED)),
            (_FUSED, "voice alone"),
        )
        return self._plan("both", "Voice, face, enhancement and fusions", rows, compared)

    def _table_audio(self) -> TablePlan:
        """The voice alone: read-outs beside statistics of the same coefficients."""
        kinds = {
            "logistic": "logistic read-out",
            "vote": "vote of labelled neurons",
            "winner": "winner of each window",
            "active-tenth": "most active tenth",
        }
        rows = [
            TableRow(label, self._system("audio", {"read_out.kind": kind}))
            for kind, label in kinds.items()
        ]
        plain = {"modalities": ["audio"], "feature_settings.audio.pitch": False}
        moments = "mean and deviation of MFCCs, logistic regression"
        rows += [
            TableRow(moments, SystemChoice("statistics-logistic", plain, draws=False)),
            TableRow("the same with pitch and loudness", self._statistics("audio")),
            TableRow("majority", SystemChoice("majority", draws=False)),
        ]
        compared = ((kinds["logistic"], moments), (kinds["vote"], moments))
        return self._plan("audio", "Read-outs of the voice's layer", tuple(rows), compared)

    def _table_labels(self) -> TablePlan:
        """What labels of neurons that come from the test clips are worth."""
        rows = (TableRow("voice alone, vote", self._system("audio", {"read_out.kind": "vote"})),)
        plan = self._plan("labels", "Neurons labelled on the test clips", rows, ())
        return replace(plan, protocols=self._protocols(leaking=True))

    def _table_windows(self) -> TablePlan:
        """The grid of Figure 3. Who looks at 32 settings compares them: not on test clips."""
        paper = type(self)(replace(self.settings, preset="snn-cross-modal-paper"))
        rows = tuple(
            TableRow(
                f"{name}, {count} features, window {width}",
                paper._system(
                    "audio",
                    {
                        "layer.window": [0, width],
                        "layer.stride": [0, width],
                        "layer.features": count,
                    },
                    mel=name == _MEL,
                ),
            )
            for name in (_MFCC, _MEL)
            for count in _FEATURES
            for width in _WINDOWS
        )
        plan = paper._plan("windows", "Windows and feature maps (Figure 3)", rows, ())
        protocols = self._protocols()
        clean = replace(protocols["clean"], predicted="validation")
        return replace(
            plan,
            protocols={**protocols, "clean": clean},
            notes=(*plan.notes, _PAPER_SIZES, _ON_VALIDATION),
        )

    def _plan(
        self,
        number: str,
        title: str,
        rows: tuple[TableRow, ...],
        compared: tuple[tuple[str, str], ...],
    ) -> TablePlan:
        _, settings = load_preset(self._preset("audio"), {})
        kind = self.settings.overrides.get("read_out.kind", settings.read_out.kind)
        notes = (f"Read-out, where a row names none: {kind}.", _TRAINING_SIZE)
        return TablePlan(number, title, rows, self._protocols(), compared=compared, notes=notes)
