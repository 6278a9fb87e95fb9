"""`FoldRun`: one fold with one seed: fit, predict the test clips, write both to a folder."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.evaluation.run import Run, clip_facts
from aver.execution.files import without_folders, write_json
from aver.features.speaker_adaptation import SpeakerAdaptation, passes_unchanged
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.checkpoint import CARD_NAME
from aver.models.base.prediction import Prediction, load_prediction, save_prediction
from aver.models.base.recognizer import Recognizer
from aver.networks.pretrained import find_weights
from aver.settings import settings_to_mapping

DONE_NAME = "fold.json"
"""The file in a fold's folder that is written last."""


@dataclass(frozen=True)
class FoldRun:
    """A task that any process can run: it carries all it needs.

    Parameters
    ----------
    model : type of Recognizer
    wanted : dataclass
        Settings of that model, as the user chose them; `settings` are those that are used.
    train, validation, test : tuple of Clip
        Test clips keep their labels here; the recognizer never gets them. There are none for a
        final recognizer, which is fitted on all clips.
    seed, fold : int
    folder : Path
        Gets checkpoint, logs and predictions.
    cache : Path
        Root of the feature cache.
    leaking : bool
        Run the system's own leaking protocol (`Recognizer.fit_predict_leaking`); no checkpoint is
        kept.
    adapt : {"", "speaker"}
        Normalize features by each speaker's unlabeled clips of this fold.
    about : mapping of str to JSON value
        What the model card says about corpus and protocol.
    content : mapping of str to sequence of str
        By clip, the content keys of its features; computed if a clip is missing.
    """

    model: type[Recognizer]
    wanted: Any
    train: tuple[Clip, ...]
    validation: tuple[Clip, ...]
    test: tuple[Clip, ...]
    seed: int
    fold: int
    folder: Path
    cache: Path
    leaking: bool = False
    adapt: str = ""
    about: Mapping[str, Any] = field(default_factory=dict)
    content: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Any:
        """The settings that are used.

        A recognizer may choose by its validation clips and, if its settings say ``refit``, train
        on them afterwards. If validation clips are test clips too, it must not: ``refit`` is then
        switched off.
        """
        tested = {clip.performance for clip in self.test}
        if any(clip.performance in tested for clip in self.validation):
            return self.model.without_refit(self.wanted)
        return self.wanted

    def new_recognizer(self) -> Recognizer:
        """The recognizer, untrained."""
        store = FeatureStore(self.cache)
        clips = self.train + self.validation + self.test
        source: FeatureSource = SpeakerAdaptation(store, clips) if self.adapt else store
        return self.model(self.settings, source)

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """Settings that could not be followed, for the model card and the run folder."""
        remarks = []
        if self.settings != self.wanted:
            remarks.append(
                "refit was switched off: validation and test share clips, so the validation clips "
                "were used for choices only, not for training."
            )
        if self.adapt and passes_unchanged(self.new_recognizer().features.values()):
            remarks.append(
                "Adaptation to speakers changed nothing: face crops are passed on unchanged."
            )
        return tuple(remarks)

    @cached_property
    def run(self) -> Run:
        """Identity and folder.

        The identity knows the clips of each subset, their speakers and labels, the content of the
        files that features are computed from, and the content of pretrained weights; no paths.
        """
        store, recognizer = FeatureStore(self.cache), self.new_recognizer()
        features = recognizer.features
        weights = {
            name: store.file_key(find_weights(name)) for name in recognizer.pretrained_weights
        }

        def data(clips: Sequence[Clip]) -> list[Any]:
            return [
                [
                    *clip_facts(clip),
                    *(
                        self.content.get(clip.clip_id)
                        or [store.content_key(clip, feature) for feature in features.values()]
                    ),
                ]
                for clip in clips
            ]

        identity = {
            "model": self.model.name,
            "settings": _replaced(settings_to_mapping(self.settings), weights),
            "weights": sorted(weights.values()),
            "features": {name: feature.key for name, feature in features.items()},
            "training clips": data(self.train),
            "validation clips": data(self.validation),
            "test clips": data(self.test),
            "seed": self.seed,
            "protocol": [self.leaking, self.adapt],
        }
        return Run(self.folder, identity, DONE_NAME)


def _replaced(settings: Any, weights: Mapping[str, str]) -> Any:
    """Settings that name pretrained weights by content: other weights may be at a path later."""
    if isinstance(settings, Mapping):
        return {name: _replaced(value, weights) for name, value in settings.items()}
    return weights.get(settings, settings) if isinstance(settings, str) else settings


def run_fold(task: FoldRun) -> Path:
    """Fit and predict, unless an earlier run finished the fold.

    Returns
    -------
    Path
        The fold's folder, with ``predictions.safetensors`` (if clips are tested), ``fold.json``
        and ``checkpoint/``.
        A state to resume from is deleted when the fold is finished.
    """
    if task.run.start():
        task.run.finish()
        return task.folder
    recognizer = task.new_recognizer()
    prediction = None
    started_s = time.perf_counter()
    if task.leaking:
        prediction = recognizer.fit_predict_leaking(
            task.train, task.validation, task.test, seed=task.seed, run_folder=task.folder
        )
        fitted_s = time.perf_counter()
    else:
        recognizer.fit(task.train, task.validation, seed=task.seed, run_folder=task.folder)
        fitted_s = time.perf_counter()
        if task.test:
            prediction = recognizer.predict_all([clip.without_labels() for clip in task.test])
        recognizer.save(task.folder / "checkpoint")
        write_json(task.folder / "checkpoint" / CARD_NAME, card_of(task, recognizer.card))
    predicted_s = time.perf_counter()
    if prediction is not None:
        save_prediction(prediction, task.folder / "predictions.safetensors")
    write_json(
        task.folder / DONE_NAME,
        {
            "key": task.run.key,
            "seed": task.seed,
            "fold": task.fold,
            "train_clips": len(task.train),
            "validation_clips": len(task.validation),
            "test_clips": len(task.test),
            "train_speakers": _speakers(task.train),
            "validation_speakers": _speakers(task.validation),
            "test_speakers": _speakers(task.test),
            "fit_s": fitted_s - started_s,
            "predict_s": predicted_s - fitted_s,
            "card": card_of(task, recognizer.card),
        },
    )
    task.run.finish()
    return task.folder


def read_fold(folder: Path) -> Prediction:
    """The predictions that `run_fold` wrote."""
    return load_prediction(folder / "predictions.safetensors")


def fold_folder(run_folder: Path, seed: int, fold: int) -> Path:
    """The folder of one fold and seed below a run folder."""
    return run_folder / "folds" / f"seed-{seed}" / f"fold-{fold:02d}"


def check_run_folder(folder: Path, tasks: Sequence[FoldRun]) -> None:
    """Refuse a folder that holds finished folds of another run.

    A run may be continued, and more seeds may be added. It may not leave out a finished fold or
    seed: settings, split and figures would then no longer describe the folder.

    Parameters
    ----------
    folder : Path
        The run folder; it need not exist.
    tasks : sequence of FoldRun
        All folds and seeds of the run.

    Raises
    ------
    SettingsError
        If a finished fold has other settings, clips, labels or files, or is not among `tasks`.
    """
    for task in tasks:
        task.run.is_finished()
    own = {task.folder for task in tasks}
    finished = sorted(path.parent for path in (folder / "folds").glob(f"*/*/{DONE_NAME}"))
    others = [path for path in finished if path not in own]
    if others:
        raise SettingsError(
            f"{folder} holds {others[0].relative_to(folder)}, which this run leaves out. Run its "
            "seed too, choose another folder with --out, or remove this one."
        )


def remarks_of(tasks: Iterable[FoldRun]) -> list[str]:
    """The remarks of these folds, each once."""
    return sorted({remark for task in tasks for remark in task.remarks})


def card_of(task: FoldRun, card: Mapping[str, Any]) -> dict[str, Any]:
    """The recognizer's own facts and those of the run, without folders of this machine."""
    tested = {"test": _speakers(task.test)} if task.test else {}
    speakers = {**card.get("speakers", {}), **tested}
    remarks = {"remarks": list(task.remarks)} if task.remarks else {}
    return without_folders({**card, **task.about, **remarks, "speakers": speakers})


def _speakers(clips: tuple[Clip, ...]) -> list[str]:
    return sorted({clip.speaker for clip in clips if clip.speaker is not None})
