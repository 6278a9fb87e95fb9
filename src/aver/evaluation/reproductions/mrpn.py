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

_N2 = "N2 (MRPN)"
_N2_ALONE = "N2, without cross-clip pairing, ours"
_PAIRING = (
    "As in the paper, N2 is trained on video and audio of different clips of one class (cross-clip "
    "pairing, section 1.4), N0 and N1 are not, unless a row says otherwise: the difference between "
    "N2 and the others is not due to the residual perceptron alone."
)

_TRAINING_SIZE = (
    "The clean protocol trains on one group of speakers less, which is used for validation: the "
    "difference between the protocols is not due to the leak alone."
)


class MrpnReproduction(Reproduction):
    """Multi-modal residual perceptron network against simple fusion and single modalities.

    Notes
    -----
    Source: Chang & Skarbek 2021, Tables 1 to 4 and Figure 5.
    Differs from the paper: options that the paper leaves open are chosen as follows: "without time
    augmentation" (NT of Table 1) and "image augmentation" (IA of Table 4) are one system, without
    time slices and without overlap, as its means say (83.0 and 83.2); "without overlap" (WO) has
    time slices. Rows that the paper lacks (late fusion, cross-clip pairing apart from the network,
    functionals) are marked "ours". Rows of Tables 1 to 4 that name no aggregator have the LSTM, as
    section 4.3 says of Table 1; figures and the table "ours" keep the aggregators of the preset.
    Branches of tracks and vectors keep theirs in every row.
    """

    name = "mrpn"
    paper = "mrpn-2021"
    speech_of = ("ravdess",)  # section 4.1: "we only use the speech files"
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
                f"{_joined(video)} only": (self._alone(video), names[video]),
                f"{_joined(audio)} only": (self._alone(audio), names[audio]),
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

    def _alone(self, modalities: tuple[str, ...], **changes: Any) -> SystemChoice:
        return self._system("N0", modalities=list(modalities), **changes)

    def _pairing_rows(self, *networks: str) -> list[TableRow]:
        """Networks with cross-clip pairing exchanged, so that its effect stands apart."""
        rows = []
        for network in networks:
            paired = network != "N2"  # what the paper does not do
            mark = "with" if paired else "without"
            label = f"{network}, {mark} cross-clip pairing, ours"
            rows.append(TableRow(label, self._lstm(network, cross_pairing=paired)))
        return rows

    def _lstm(self, network: str, **changes: Any) -> SystemChoice:
        return self._system(network, aggregator="lstm", **changes)

    def _printed(self, table: str, row: str) -> str:
        return self.printed(
            f"mrpn/table-{table}/{self.settings.corpus}/{row}", f"mrpn/table-{table}/{row}"
        )

    def _table_1(self) -> TablePlan:
        video, audio = self.settings.video, self.settings.audio
        rows: list[TableRow] = []
        inferior: dict[str, tuple[str, ...]] = {}
        compared: list[tuple[str, str]] = []
        for augmented, mark, key in ((False, "NT", ""), (True, "T", "-time")):
            audio_row, video_row, joint = f"AM({mark})", f"VM({mark})", f"JM({mark})"
            late = f"late fusion({mark}), ours"
            system = partial(self._lstm, "N0", time_slices=augmented, overlap=augmented)
            rows += [
                TableRow(
                    audio_row, system(modalities=list(audio)), self._printed("1", f"audio{key}")
                ),
                TableRow(
                    video_row, system(modalities=list(video)), self._printed("1", f"video{key}")
                ),
                TableRow(joint, system(), self._printed("1", f"joint{key}")),
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
                "NT, T: without and with time augmentation, which is random time slices and "
                "overlapping segments. JM(NT) is the system IA of Table 4, JM(T) the system VA+AO.",
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_2(self) -> TablePlan:
        return TablePlan(
            "2",
            "Simple fusion (N0) against MRPN (N2), fold by fold",
            (
                TableRow("N0", self._lstm("N0")),
                TableRow(_N2, self._lstm("N2")),
                *self._pairing_rows("N0", "N2"),
            ),
            self._protocols(),
            by_fold=True,
            compared=((_N2, "N0"), (_N2_ALONE, "N0"), (_N2, "N0, with cross-clip pairing, ours")),
            notes=(
                "The paper prints Table 2 as an image; its numbers are not given here.",
                _PAIRING,
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_3(self) -> TablePlan:
        labels = {"N0": "N0", "N1": "N1", "N2": _N2}
        rows = [
            TableRow(label, self._lstm(network), self._printed("3", network.lower()))
            for network, label in labels.items()
        ]
        return TablePlan(
            "3",
            "Simple fusion (N0), side losses (N1), residual perceptrons (N2)",
            (*rows, *self._pairing_rows("N0", "N1", "N2")),
            self._protocols(),
            by_fold=True,
            compared=(
                (_N2, "N0"),
                (_N2, "N1"),
                ("N1", "N0"),
                (_N2_ALONE, "N0"),
                (_N2_ALONE, "N1"),
                (_N2, "N1, with cross-clip pairing, ours"),
            ),
            notes=(
                "The paper does not print the actors of its folds S1 to S9; our folds differ.",
                _PAIRING,
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_4(self) -> TablePlan:
        lstm = self._lstm
        ours = {
            "N0, IA": ("n0-image", lstm("N0", time_slices=False, overlap=False)),
            "N0, WO": ("n0-no-overlap", lstm("N0", overlap=False)),
            "N0, VA+AO": ("n0", lstm("N0")),
            "N2, LSTM": ("n2-lstm", lstm("N2")),
            "N2, Transformer": (
                "n2-transformer",
                self._system("N2", aggregator="transformer"),
            ),
            "N2, BiLSTM": ("", self._system("N2", aggregator="bilstm")),
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
                "segments without overlap; VA+AO: time slices and overlapping segments. IA is the "
                "system JM(NT) of Table 1.",
                _PAIRING,
                _TRAINING_SIZE,
                self._preset_note(),
            ),
        )

    def _table_ours(self) -> TablePlan:
        """Every network beside every baseline, on the same clips."""
        video, audio = self.settings.video, self.settings.audio
        alone = (f"{_joined(audio)} only", f"{_joined(video)} only")
        rows = [
            TableRow(alone[0], self._alone(audio)),
            TableRow(alone[1], self._alone(video)),
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
            notes=(
                "This table is ours; the paper has none like it.",
                _PAIRING,
                self._preset_note(),
            ),
        )


def _joined(branches: tuple[str, ...]) -> str:
    return " + ".join(branches)
