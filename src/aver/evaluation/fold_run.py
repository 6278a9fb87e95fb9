"""One fold, one seed: fit, answer for the test clips, keep both on disk."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from aver.corpora.clip import Clip
from aver.errors import SettingsError
from aver.evaluation.run import Run, clip_facts, describe_environment
from aver.execution.files import without_folders, write_json, write_text
from aver.features.speaker_adaptation import SpeakerAdaptation, passes_unchanged
from aver.features.store import FeatureSource, FeatureStore
from aver.models.base.checkpoint import CARD_NAME
from aver.models.base.prediction import Prediction, load_prediction, save_prediction
from aver.models.base.presets import load_preset
from aver.models.base.recognizer import Recognizer
from aver.networks.pretrained import find_weights
from aver.settings import settings_to_mapping


def check_run_folder(folder: Path, tasks: Sequence[FoldRun]) -> None:
    """Refuse a folder that holds finished folds of another run.

    A run may go on, and it may grow by more seeds. It may not leave out a fold or seed that lies
    there, because settings, split and figures would then no longer tell what the folder holds.

    Parameters
    ----------
    folder : Path
        The run folder; it need not exist.
    tasks : sequence of FoldRun
        All that the run is to do in it.

    Raises
    ------
    SettingsError
        If a finished fold has other settings, clips, labels or files, or is none of `tasks`.
    """
    for task in tasks:
        task.run.is_finished()
    ours = {task.folder for task in tasks}
    finished = sorted(path.parent for path in (folder / "folds").glob("*/*/fold.json"))
    others = [path for path in finished if path not in ours]
    if others:
        raise SettingsError(
            f"{folder} holds {others[0].relative_to(folder)}, which this run leaves out. Run its "
            "seed too, choose another folder with --out, or remove this one."
        )


def write_settings(
    folder: Path, settings: Mapping[str, Any], *, command: str, split_hash: str
) -> None:
    """Write ``settings.yaml`` and ``environment.json``.

    Parameters
    ----------
    folder : Path
        The run folder.
    settings : mapping
        Everything decided before training, resolved: model, settings, seeds, corpus.
    command : str
        The command line that repeats the run.
    split_hash : str
        Hash of the split that lies beside as ``split.json``.

    Raises
    ------
    StorageError
        If the folder cannot be written.
    """
    import yaml

    plan = {"command": command, "split_hash": split_hash, **settings}
    write_text(folder / "settings.yaml", yaml.safe_dump(plan, sort_keys=False, allow_unicode=True))
    write_json(folder / "environment.json", describe_environment())


DONE_NAME = "fold.json"


def _by_content(settings: Any, content: Mapping[str, str]) -> Any:
    """Settings with pretrained weights named by what they hold: a path may hold others tomorrow."""
    if isinstance(settings, Mapping):
        return {name: _by_content(value, content) for name, value in settings.items()}
    return content.get(settings, settings) if isinstance(settings, str) else settings


@dataclass(frozen=True)
class FoldRun:
    """A task that any process can run: it carries all it needs.

    Parameters
    ----------
    preset : str
        Preset name or path.
    overrides : mapping
        Settings that replace the preset's.
    train, validation, test : tuple of Clip
        Test clips keep their labels here; the recogniser never gets them.
    seed, fold : int
    folder : Path
        Where checkpoint, logs and predictions go.
    cache : Path
        Root of the feature cache.
    leaking : bool
        Run the system's own leaking protocol (``fit_predict_leaking``); no checkpoint is kept.
    adapt : {"", "speaker"}
        Bring features to each speaker's own scale, by all clips of the fold, without labels.
    about : mapping of str to JSON value
        What the model card says about corpus and protocol.
    """

    preset: str
    overrides: Mapping[str, Any]
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

    @cached_property
    def system(self) -> tuple[type[Recognizer], Any]:
        """The kind of recogniser, and its settings so far as the parts of this fold allow them.

        A recogniser may choose by its validation clips, and with the setting ``refit`` then learn
        from them too. Where they are test clips as well it must not: ``refit`` is off there.
        """
        kind, settings = load_preset(self.preset, self.overrides)
        return kind, kind.without_refit(settings) if self._validates_on_test else settings

    @property
    def remarks(self) -> tuple[str, ...]:
        """What model card and run folder say about settings that were not followed."""
        found = []
        kind, wanted = load_preset(self.preset, self.overrides)
        if self.system[1] != wanted:
            found.append(
                "refit was switched off: validation and test share clips, so the validation clips "
                "served for choices only, not for training."
            )
        if self.adapt and passes_unchanged(kind(wanted, _store_at(self.cache)).features.values()):
            found.append(
                "Adaptation to speakers changed nothing here: crops of faces are passed on as they "
                "are."
            )
        return tuple(found)

    @property
    def _validates_on_test(self) -> bool:
        tested = {clip.performance for clip in self.test}
        return any(clip.performance in tested for clip in self.validation)

    @cached_property
    def run(self) -> Run:
        """Identity and folder.

        The identity knows the clips of each subset, their speakers and labels, the content of the
        files that features are computed from, and the content of pretrained weights; no paths.
        """
        model, settings = self.system
        store = _store_at(self.cache)
        recognizer = model(settings, store)
        features, weights = recognizer.features, recognizer.pretrained_weights
        content = {name: store.file_key(find_weights(name)) for name in weights}

        def data(clips: Sequence[Clip]) -> list[Any]:
            return [
                [*clip_facts(clip), *(store.content_key(clip, f) for f in features.values())]
                for clip in clips
            ]

        identity = {
            "model": model.name,
            "settings": _by_content(settings_to_mapping(settings), content),
            "features": {name: feature.key for name, feature in features.items()},
            "training clips": data(self.train),
            "validation clips": data(self.validation),
            "test clips": data(self.test),
            "seed": self.seed,
            "protocol": [self.leaking, self.adapt],
        }
        return Run(self.folder, identity, DONE_NAME)

    def source(self) -> FeatureSource:
        """Where the recogniser gets its features."""
        store = FeatureStore(self.cache)
        if not self.adapt:
            return store
        return SpeakerAdaptation(store, self.train + self.validation + self.test)


def run_fold(task: FoldRun) -> Path:
    """Fit and predict, unless an earlier run finished the fold.

    Returns
    -------
    Path
        The fold's folder, with ``predictions.safetensors``, ``fold.json`` and ``checkpoint/``.
        ``started.json`` lies there before training starts and says whose state to resume from it
        is; that state is deleted when the fold is done.
    """
    if task.run.start():
        task.run.finish()
        return task.folder
    kind, settings = task.system
    recognizer = kind(settings, task.source())
    started_s = time.perf_counter()
    if task.leaking:
        prediction: Prediction = recognizer.fit_predict_leaking(
            task.train, task.validation, task.test, seed=task.seed, run_folder=task.folder
        )
        fitted_s = time.perf_counter()
    else:
        recognizer.fit(task.train, task.validation, seed=task.seed, run_folder=task.folder)
        fitted_s = time.perf_counter()
        prediction = recognizer.predict([clip.without_labels() for clip in task.test])
        recognizer.save(task.folder / "checkpoint")
        write_json(task.folder / "checkpoint" / CARD_NAME, _card(task, recognizer.card))
    predicted_s = time.perf_counter()
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
            "card": _card(task, recognizer.card),
        },
    )
    task.run.finish()
    return task.folder


def read_fold(folder: Path) -> Prediction:
    """The predictions that `run_fold` left."""
    return load_prediction(folder / "predictions.safetensors")


def remarks_of(tasks: Iterable[FoldRun]) -> list[str]:
    """What is to be said about settings not followed in some of these folds, each once."""
    return sorted({remark for task in tasks for remark in task.remarks})


@lru_cache(maxsize=1)
def _store_at(cache: Path) -> FeatureStore:
    """One store per process: it remembers which files it has looked at."""
    return FeatureStore(cache)


def _card(task: FoldRun, card: Mapping[str, Any]) -> dict[str, Any]:
    """The recogniser's own facts, and those that only the run knows; no folder of this machine."""
    speakers = {**card.get("speakers", {}), "test": _speakers(task.test)}
    remarks = {"remarks": list(task.remarks)} if task.remarks else {}
    return without_folders({**card, **task.about, **remarks, "speakers": speakers})


def _speakers(clips: tuple[Clip, ...]) -> list[str]:
    return sorted({clip.speaker for clip in clips if clip.speaker is not None})
