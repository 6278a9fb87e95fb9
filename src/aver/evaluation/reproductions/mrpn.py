"""Tables 1 to 4 and Figure 5 of the MRPN paper (Chang & Skarbek 2021)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from aver.evaluation.reproduction import (
    MAJORITY,
    EmbeddingPlan,
    Protocol,
    ProtocolKind,
    Reproduction,
    SystemChoice,
    TablePlan,
    TableRow,
    functionals,
)
from aver.models.base.presets import load_preset

_FUNCTIONALS = ("statistics-logistic", "statistics-svm")

_MANY_SPEAKERS = 30
"""With so many speakers or more, ten folds replace pairs of speakers, as in the paper."""

_TRAINING_SIZE = (
    "The clean protocol trains on one group of speakers less, which is used for validation: the "
    "difference between the protocols is not due to the leak alone."
)


class MrpnReproduction(Reproduction):
    """Multi-modal residual perceptron network against simple fusion and single modalities.

    Notes
    -----
    Source: Chang & Skarbek 2021, Tables 1 to 4 and Figure 5.
    Differs from the paper: options that the paper leaves open are chosen as follows: "image
    augmentation" (IA) is without time slices and without overlap, "without overlap" (WO) has time
    slices. Rows that the paper lacks (late fusion, cross-clip pairing, functionals) are marked
    "ours". In Table 4 the rows of the paper that name no aggregator have the LSTM; Tables 1 to 3
    keep the aggregators of the preset. Branches of tracks and vectors keep theirs in every row.
    """

    name = "mrpn"
    source = "Chang & Skarbek 2021, Tables 1 to 4, Figures 5, 9 and 10"
    tables = ("1", "2", "3", "4", "ours")
    figures = ("5", "9", "10")

    def plans(self) -> Mapping[str, Callable[[], TablePlan]]:
        """Tables 1 to 4 of the paper, and one of ours over all systems."""
        return {
            "1": self._table_1,
            "2": self._table_2,
            "3": self._table_3,
            "4": self._table_4,
            "ours": self._table_ours,
        }

    def embeddings(self, number: str) -> EmbeddingPlan:
        """Figure 5: deep features of video alone, audio alone, and both."""
        if number != "5":
            raise self.unknown("figure of deep features", number, ("5",))
        video, audio = self.settings.video, self.settings.audio
        names = {
            branches: branches[0] if len(branches) == 1 else "fused" for branches in (video, audio)
        }
        return EmbeddingPlan(
            "5",
            "Deep features of the test clips of one fold",
            {
                f"{_joined(video)} only": (self._alone(video, True), names[video]),
                f"{_joined(audio)} only": (self._alone(audio, True), names[audio]),
                "both": (self._system("N0"), "fused"),
            },
            self._protocols()["clean"],
        )

    def fold_name(self, speakers: tuple[str, ...]) -> str:
        """``"A9,10"`` for actors 09 and 10; the speakers' ids if they are not numbers."""
        if all(speaker.isdigit() for speaker in speakers):
            return "A" + ",".join(str(int(speaker)) for speaker in speakers)
        return ", ".join(speakers)

    def _protocols(self) -> Mapping[ProtocolKind, Protocol]:
        rule, settings = "mrpn-actor-pairs", {}
        if self.settings.speakers >= _MANY_SPEAKERS:
            rule, settings = "speaker-kfold", {"folds": 10}
        return self.protocols_of(
            Protocol("paper", rule, {**settings, "validation": "test"}),
            Protocol("clean", rule, {**settings, "validation": "nested"}),
        )

    def _system(
        self,
        network: str,
        *,
        time_slices: bool = True,
        overlap: bool = True,
        aggregator: str = "",
        **changes: Any,
    ) -> SystemChoice:
        modalities = (*self.settings.video, *self.settings.audio)
        overrides: dict[str, Any] = {
            **self.settings.overrides,
            "network": network,
            "modalities": list(modalities),
            "time_slices": time_slices,
            **changes,
        }
        _, settings = load_preset(self.settings.preset, self.settings.overrides)
        for modality in modalities:
            branch = settings.branches[modality]
            if aggregator and branch.extractor != "identity":
                overrides[f"branches.{modality}.aggregator"] = aggregator
            if not overlap and branch.feature == "spectrogram-segments":
                overrides[f"branches.{modality}.feature_settings.hop_s"] = 1.0
        return SystemChoice(self.settings.preset, overrides)

    @property
    def _video(self) -> str:
        """The modality of functionals beside the video branches: action units if these are used."""
        return "action_units" if self.settings.video[0] == "action_units" else "video"

    def _own_aggregators(self) -> set[str]:
        """Aggregators over time of the preset's networks on images and spectrograms."""
        _, settings = load_preset(self.settings.preset, self.settings.overrides)
        branches = [
            settings.branches[name] for name in (*self.settings.video, *self.settings.audio)
        ]
        return {branch.aggregator for branch in branches if branch.extractor != "identity"}

    def _preset_note(self) -> str:
        _, settings = load_preset(self.settings.preset, self.settings.overrides)
        extractors = [
            f"{name}: {settings.branches[name].extractor} of {settings.branches[name].feature}"
            for name in (*self.settings.video, *self.settings.audio)
        ]
        return f"Extractors of {self.settings.preset}: {'; '.join(extractors)}."

    def _alone(self, modalities: tuple[str, ...], time_slices: bool = True) -> SystemChoice:
        return self._system("N0", modalities=list(modalities), time_slices=time_slices)

    def _printed(self, table: str, row: str) -> str:
        return self.printed(
            f"mrpn/table-{table}/{self.settings.corpus}/{row}", f"mrpn/table-{table}/{row}"
        )

    def _table_1(self) -> TablePlan:
        video, audio = self.settings.video, self.settings.audio
        rows: list[TableRow] = []
        inferior: dict[str, tuple[str, ...]] = {}
        compared: list[tuple[str, str]] = []
        for slices, mark, key in ((False, "NT", ""), (True, "T", "-time")):
            audio_row, video_row, joint = f"AM({mark})", f"VM({mark})", f"JM({mark})"
            late = f"late fusion({mark}), ours"
            rows += [
                TableRow(audio_row, self._alone(audio, slices), self._printed("1", f"audio{key}")),
                TableRow(video_row, self._alone(video, slices), self._printed("1", f"video{key}")),
                TableRow(
                    joint,
                    self._system("N0", time_slices=slices),
                    self._printed("1", f"joint{key}"),
                ),
                TableRow(late, fused_from=(audio_row, video_row)),
            ]
            inferior[joint] = (audio_row, video_row)
            compared += [(joint, audio_row), (joint, video_row)]
        return TablePlan(
            "1",
            "Single modalities against both (N0), without and with time augmentation",
            tuple(rows),
            self._protocols(),
            by_fold=True,
            inferior=inferior,
            compared=(*compared, ("JM(T)", "late fusion(T), ours"), ("JM(T)", "JM(NT)")),
            notes=(
                f"AM: {_joined(audio)} only; VM: {_joined(video)} only; JM: both, network N0; "
                "NT, T: without and with random time slices.",
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_2(self) -> TablePlan:
        return TablePlan(
            "2",
            "Simple fusion (N0) against MRPN (N2), fold by fold",
            (TableRow("N0", self._system("N0")), TableRow("N2 (MRPN)", self._system("N2"))),
            self._protocols(),
            by_fold=True,
            compared=(("N2 (MRPN)", "N0"),),
            notes=(
                "The paper prints Table 2 as an image; its numbers are not given here.",
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_3(self) -> TablePlan:
        labels = {"N0": "N0", "N1": "N1", "N2": "N2 (MRPN)"}
        rows = tuple(
            TableRow(label, self._system(network), self._printed("3", network.lower()))
            for network, label in labels.items()
        )
        return TablePlan(
            "3",
            "Simple fusion (N0), side losses (N1), residual perceptrons (N2)",
            rows,
            self._protocols(),
            by_fold=True,
            compared=(("N2 (MRPN)", "N0"), ("N2 (MRPN)", "N1"), ("N1", "N0")),
            notes=(
                "The paper does not print the actors of its folds S1 to S9; our folds differ.",
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_4(self) -> TablePlan:
        lstm = partial(self._system, aggregator="lstm")
        ours = {
            "N0, IA": ("n0-image", lstm("N0", time_slices=False, overlap=False)),
            "N0, WO": ("n0-no-overlap", lstm("N0", overlap=False)),
            "N0, VA+AO": ("n0", lstm("N0")),
            "N2, LSTM": ("n2-lstm", lstm("N2", cross_pairing=True)),
            "N2, Transformer": (
                "n2-transformer",
                self._system("N2", aggregator="transformer", cross_pairing=True),
            ),
            "N2, BiLSTM": ("", self._system("N2", aggregator="bilstm", cross_pairing=True)),
            "N2, LSTM, without cross-clip pairing, ours": (
                "",
                lstm("N2", cross_pairing=False),
            ),
        }
        if self._own_aggregators() - {"lstm"}:
            names = " and ".join(sorted(self._own_aggregators()))
            ours[f"N2, {names} (the preset's own), ours"] = ("", self._system("N2"))
        rows = [
            TableRow(label, system, self._printed("4", key) if key else "")
            for label, (key, system) in ours.items()
        ]
        rows += [
            TableRow(f"{preset}, ours", functionals(self._video, "audio", preset=preset))
            for preset in _FUNCTIONALS
        ]
        rows.append(TableRow("majority, ours", MAJORITY))
        rows += self.rows_of_others(f"mrpn/table-4/{self.settings.corpus}/")
        return TablePlan(
            "4",
            "Options and aggregators of N0 and MRPN beside others",
            tuple(rows),
            self._protocols(),
            compared=(
                ("N0, WO", "N0, IA"),
                ("N0, VA+AO", "N0, WO"),
                ("N2, LSTM", "N0, VA+AO"),
                ("N2, Transformer", "N2, LSTM"),
                ("N2, LSTM", "N2, LSTM, without cross-clip pairing, ours"),
                ("N2, LSTM", "statistics-logistic, ours"),
            ),
            notes=(
                "IA: image augmentation only (no time slices, no overlap); WO: time slices, "
                "segments without overlap; VA+AO: time slices and overlapping segments.",
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_ours(self) -> TablePlan:
        """Every network beside every baseline, on the same clips."""
        video, audio = self.settings.video, self.settings.audio
        alone = (f"{_joined(audio)} only", f"{_joined(video)} only")
        rows = [
            TableRow(alone[0], self._alone(audio, True)),
            TableRow(alone[1], self._alone(video, True)),
            TableRow("late fusion", fused_from=alone),
            *(TableRow(network, self._system(network)) for network in ("N0", "N1", "N2")),
        ]
        choices = {
            "audio": ["audio"],
            self._video: [self._video],
            "both": [self._video, "audio"],
        }
        baselines = [
            TableRow(f"{preset}, {name}", functionals(*modalities, preset=preset))
            for preset in _FUNCTIONALS
            for name, modalities in choices.items()
        ]
        return TablePlan(
            "ours",
            "Single modalities, late fusion, N0, N1 and N2 beside functionals and the majority",
            (*rows, *baselines, TableRow("majority", MAJORITY)),
            self._protocols(),
            by_fold=True,
            # Six at most: with eight speakers no p value of more could pass Holm's correction.
            compared=(
                *(("N2", other) for other in (*alone, "late fusion", "N0", "N1")),
                ("N1", "N0"),
            ),
            notes=("This table is ours; the paper has none like it.", self._preset_note()),
        )


def _joined(branches: tuple[str, ...]) -> str:
    return " + ".join(branches)
