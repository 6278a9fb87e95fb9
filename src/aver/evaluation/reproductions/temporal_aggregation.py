"""Table I and Figures 3 to 5 of the paper on temporal aggregation (Birhala et al. 2020)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from aver.errors import SettingsError
from aver.evaluation.reproduction import (
    MAJORITY,
    CurvePlan,
    Protocol,
    ProtocolKind,
    Reproduction,
    SystemChoice,
    SystemPlan,
    TablePlan,
    TableRow,
    functionals,
)

_FOLDS = 10
_SEGMENTS = (1, 3, 5, 8, 10)
_ASYNCHRONY_S = (0.0, 0.01, 0.05, 0.1, 0.3)
_PROPOSED = "proposed method, N = 10"
_MRPN = "MRPN (mrpn-compact, N2), ours"
_TRAINING_SIZE = (
    "The clean protocol trains on one group of speakers less, which is used for validation: the "
    "difference between the protocols is not due to the leak alone."
)


class TemporalAggregationReproduction(Reproduction):
    """Temporal aggregation beside its unimodal halves, its variants and the paper's other rows.

    Notes
    -----
    Source: Birhala et al. 2020, Table I, Figures 3, 4 and 5. Section IV: ten folds by actor;
    the epoch is chosen on the fold that is tested; Figures 3 and 4 show N = 10.
    Differs from the paper: a corpus of fewer than ten speakers has a fold for each. Tables
    "segments", "weights" and "b" and figures "b" and "asynchrony" are ours; N = 1 and 5 are added
    to Figure 5.
    """

    name = "temporal-aggregation"
    paper = "temporal-aggregation-2020"
    source = "Birhala et al. 2020, Table I, Figures 3, 4 and 5"
    tables = ("I", "segments", "weights", "b")
    figures = ("3", "4", "5", "b", "asynchrony")

    def plans(self) -> Mapping[str, Callable[[], TablePlan]]:
        """Table I of the paper, and ours for values of N and b and for shared weights."""
        return {
            "I": self._table_1,
            "segments": self._table_segments,
            "weights": self._table_weights,
            "b": self._table_b,
        }

    def curve(self, number: str) -> CurvePlan:
        """Figure 5, accuracy against N; and ours, against b."""
        if number == "5":
            places = tuple(float(count) for count in _SEGMENTS)
            return CurvePlan(
                "5",
                "Accuracy against N",
                "segments",
                places,
                "segments N",
                printed_times={3.0: "3 h", 10.0: "about 5.5 h"},
            )
        if number == "b":
            return CurvePlan(
                "b",
                "Accuracy against the range b of the audio window",
                "b",
                _ASYNCHRONY_S,
                "b in s",
            )
        raise self.unknown("curve", number, ("5", "b"))

    def one_system(self, number: str) -> SystemPlan:
        """Figures 3 and 4, losses and confusions of N = 10; and ours, accuracy against offsets."""
        titles = {
            "3": "Loss and accuracy over epochs, N = 10",
            "4": "Confusions, N = 10",
            "asynchrony": "Accuracy with shifted audio, N = 10",
        }
        if number not in titles:
            raise self.unknown("figure of one system", number, tuple(titles))
        return SystemPlan(number, titles[number], self._system(segments=10), self._protocols())

    def _protocols(self) -> Mapping[ProtocolKind, Protocol]:
        folds = min(_FOLDS, self.settings.speakers)
        return self.protocols_of(
            Protocol("paper", "speaker-kfold", {"folds": folds, "validation": "test"}),
            Protocol("clean", "speaker-kfold", {"folds": folds, "validation": "nested"}),
        )

    def _system(self, **changes: Any) -> SystemChoice:
        if "action_units" in self.settings.video:
            raise SettingsError(
                "Temporal aggregation reads video; action units cannot take its place. Leave out "
                "--video."
            )
        return SystemChoice(self.settings.preset, {**self.settings.overrides, **changes})

    def _table_1(self) -> TablePlan:
        halves = {
            f"{modality} only, N = 10, ours": self._system(segments=10, modalities=[modality])
            for modality in ("audio", "video")
        }
        late = "late fusion of these, ours"
        others = {"human": "human accuracy", "rma": "RMA", "merml": "MERML"}
        rows = [
            *(
                TableRow(label, published=self.printed(f"temporal/table-1/{key}"))
                for key, label in others.items()
                if self.printed(f"temporal/table-1/{key}")
            ),
            # The CNN of Ristea et al. is one audio-visual network: temporal aggregation with N = 1.
            TableRow(
                "CNN-based approach, N = 1",
                self._system(segments=1),
                self.printed("temporal/table-1/cnn"),
            ),
            TableRow(
                _PROPOSED, self._system(segments=10), self.printed("temporal/table-1/proposed")
            ),
            *(TableRow(label, system) for label, system in halves.items()),
            TableRow(late, fused_from=tuple(halves)),
            TableRow(_MRPN, SystemChoice("mrpn-compact")),
            TableRow("statistics-logistic, ours", functionals("video", "audio")),
            TableRow("majority, ours", MAJORITY),
        ]
        return TablePlan(
            "I",
            "Temporal aggregation beside one segment, its halves and others",
            tuple(rows),
            self._protocols(),
            inferior={_PROPOSED: tuple(halves)},
            compared=tuple(
                (_PROPOSED, other)
                for other in (
                    *halves,
                    late,
                    "CNN-based approach, N = 1",
                    _MRPN,
                    "statistics-logistic, ours",
                )
            ),
            notes=(
                "The paper's CNN-based approach has no batch normalization; our N = 1 has.",
                _TRAINING_SIZE,
            ),
        )

    def _table_segments(self) -> TablePlan:
        rows = {
            count: TableRow(f"N = {count}", self._system(segments=count)) for count in _SEGMENTS
        }
        return TablePlan(
            "segments",
            "Accuracy against the number of segments (Figure 5)",
            tuple(rows.values()),
            self._protocols(),
            compared=tuple(("N = 10", f"N = {count}") for count in _SEGMENTS if count != 10),
            notes=("The paper prints Figure 5 without numbers, from N = 3 to 10.", _TRAINING_SIZE),
        )

    def _table_weights(self) -> TablePlan:
        rows = {
            f"{weights} weights, N = 10": self._system(segments=10, weights=weights)
            for weights in ("independent", "shared")
        }
        return TablePlan(
            "weights",
            "One network per segment, or one for all",
            tuple(TableRow(label, system) for label, system in rows.items()),
            self._protocols(),
            compared=(tuple(rows),),  # type: ignore[arg-type]
            notes=("This table is ours; the paper's networks are independent.", _TRAINING_SIZE),
        )

    def _table_b(self) -> TablePlan:
        rows = tuple(
            TableRow(f"b = {b_s:g} s", self._system(segments=10, asynchrony_s=b_s))
            for b_s in _ASYNCHRONY_S
        )
        return TablePlan(
            "b",
            "Accuracy against b, the largest offset of the audio in training",
            rows,
            self._protocols(),
            compared=tuple(("b = 0.01 s", row.label) for row in rows if row.label != "b = 0.01 s"),
            notes=("This table is ours; the paper sets b = 0.01 s.", _TRAINING_SIZE),
        )
