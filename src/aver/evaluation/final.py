"""`fit_final`: the recognizer to use, fitted on every clip with settings that were evaluated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from aver.corpora.clip import Clip
from aver.errors import MediaError, SettingsError
from aver.evaluation.evaluation import Evaluation
from aver.evaluation.evaluation_folder import load_evaluation
from aver.evaluation.experiment import Experiment, labeled_clips, settings_of
from aver.evaluation.fold_run import FoldRun, card_of, run_fold
from aver.evaluation.run import describe_environment
from aver.evaluation.summary import PROPORTIONS, summarize
from aver.execution.files import write_json, write_text
from aver.features.store import Failure, FeatureStore
from aver.models.base.checkpoint import CARD_NAME, FINAL_NAME, read_checkpoint
from aver.models.base.hub_card import write_readme
from aver.models.base.recognizer import Recognizer, load_recognizer


@dataclass(frozen=True)
class FinalRecognizer:
    """A recognizer that was fitted on every clip, and what is known of its quality.

    Parameters
    ----------
    folder : Path
        Its run folder, with ``checkpoint/``.
    recognizer : Recognizer
    failures : tuple of Failure
        Clips that could not be used.
    evaluation : Evaluation or None
        Of the same settings; None if they were not evaluated.
    """

    folder: Path
    recognizer: Recognizer
    failures: tuple[Failure, ...] = ()
    evaluation: Evaluation | None = None

    @property
    def checkpoint(self) -> Path:
        """The folder to load, to share or to upload."""
        return self.folder / "checkpoint"


def statements_of(run: Path) -> tuple[str, ...]:
    """What the final recognizer of a run was fitted on and how well it should predict.

    Raises
    ------
    CheckpointError
        If the run has none.
    """
    card = read_checkpoint(run / FINAL_NAME / "checkpoint").card
    return card["fitted_on_all"], card["expected"]["statement"]


def fit_final(
    experiment: Experiment,
    folder: Path,
    evaluation: Evaluation | None = None,
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
) -> FinalRecognizer:
    """Fit the system of an experiment on all clips of its split, and state its expected quality.

    What a system chooses (penalty, temperature, epoch) is chosen on the validation clips of the
    first fold. With the setting ``refit`` the system is then fitted on these clips too; without it
    they stay held out, and the card says which speakers they are.

    Parameters
    ----------
    experiment : Experiment
        The first of its seeds is used.
    folder : Path
        The recognizer is written to ``final/`` there. If the folder holds the evaluation of an
        experiment, it must be this one.
    evaluation : Evaluation, optional
        Of the experiment; by default that of `folder`, if there is one.
    store, workers, strict
        As for `aver.evaluation.experiment.run_experiment`.

    Returns
    -------
    FinalRecognizer

    Raises
    ------
    SettingsError
        If the experiment has a leaking protocol, which gives no recognizer, or the folder holds
        the evaluation of other settings, or another final recognizer.
    MediaError
        With `strict`, for the first clip that cannot be used.
    TrainingInterrupted
        After Ctrl-C; calling it again resumes.
    """
    check_can_be_final(experiment)
    store = store or FeatureStore()
    if evaluation is None:
        evaluation = _evaluated(experiment, folder)
    features = list(experiment.recognizer.features.values())
    prepared = store.prepare(labeled_clips(experiment), features, workers=workers)
    if strict and prepared.failures:
        first = prepared.failures[0]
        raise MediaError(f"Clip {first.clip.clip_id} cannot be used: {first.reason}")
    task = _task(experiment, prepared.clips, folder / FINAL_NAME, store)
    facts = {
        "fitted_on_all": _fitted_in_words(task, experiment.recognizer.refits),
        "expected": expected_quality(evaluation),
    }
    run_fold(task)
    settings = settings_of(experiment, prepared.failures, task.remarks)
    write_text(task.folder / "settings.yaml", yaml.safe_dump(settings, sort_keys=False))
    write_json(task.folder / "environment.json", describe_environment())
    recognizer = load_recognizer(task.folder / "checkpoint", store)
    # Written again, because the evaluation may have gained seeds.
    card = {**card_of(task, recognizer.card), **facts}
    write_json(task.folder / "checkpoint" / CARD_NAME, card)
    write_readme(task.folder / "checkpoint")
    recognizer = load_recognizer(task.folder / "checkpoint", store)
    return FinalRecognizer(task.folder, recognizer, prepared.failures, evaluation)


def check_can_be_final(experiment: Experiment) -> None:
    """Refuse an experiment that gives no recognizer.

    Raises
    ------
    SettingsError
        If it has a leaking protocol.
    """
    if experiment.runs_leaking_protocol:
        raise SettingsError(
            "A leaking protocol gives no recognizer: it uses the labels of test clips. Fit the "
            "final recognizer without --leaking."
        )


def _task(
    experiment: Experiment, clips: Sequence[Clip], folder: Path, store: FeatureStore
) -> FoldRun:
    """The training on all clips; those of the first fold's validation are for choices."""
    held = set(experiment.split.folds[0].validation)
    return FoldRun(
        model=type(experiment.recognizer),
        wanted=experiment.recognizer.settings,
        train=tuple(clip for clip in clips if clip.clip_id not in held),
        validation=tuple(clip for clip in clips if clip.clip_id in held),
        test=(),
        seed=experiment.seeds[0],
        fold=0,
        folder=folder,
        cache=store.root,
        adapt=experiment.adapt,
        about=experiment.facts,
    )


def _evaluated(experiment: Experiment, folder: Path) -> Evaluation | None:
    """The evaluation in a folder, which must be of this experiment.

    Raises
    ------
    SettingsError
        If it is of other settings.
    """
    if not (folder / "evaluation.json").exists():
        return None
    recorded = yaml.safe_load((folder / "settings.yaml").read_text("utf-8"))
    own = yaml.safe_load(yaml.safe_dump(settings_of(experiment, (), ())))
    names = ("split_hash", "preset", "settings", "corpus", "classes", "adapt")
    differing = [name for name in names if recorded.get(name) != own.get(name)]
    if differing:
        raise SettingsError(
            f"{folder} holds an evaluation with another {', '.join(differing)}. Repeat its command "
            "with the same settings, or choose another folder with --out."
        )
    return load_evaluation(folder)


def expected_quality(evaluation: Evaluation | None) -> dict[str, Any]:
    """What the card of a final recognizer says about its quality.

    Parameters
    ----------
    evaluation : Evaluation or None
        Of the same settings.

    Returns
    -------
    dict
        ``statement`` and, if there is an evaluation, ``system``, ``protocol``, ``leaks``,
        ``clips``, ``speakers`` and ``metrics``: shares with the bounds of their 95 % intervals.
    """
    if evaluation is None:
        statement = (
            "Its quality is not known: these settings were not evaluated. 'aver evaluate --final' "
            "evaluates the settings and fits the recognizer."
        )
        return {"statement": statement}
    figures = summarize(evaluation).metrics
    metrics = {
        name: {
            "value": round(figures[name].value, 4),
            **(
                {"low": round(low, 4), "high": round(high, 4)}
                if (low := figures[name].low) is not None
                and (high := figures[name].high) is not None
                else {}
            ),
        }
        for name in PROPORTIONS
    }
    return {
        "statement": _expected_in_words(evaluation, metrics["accuracy"]),
        "system": evaluation.system,
        "protocol": evaluation.protocol,
        "leaks": list(evaluation.leaks),
        "clips": evaluation.clip_count,
        "speakers": len(evaluation.speaker_ids) - evaluation.clips_of_unknown_speakers,
        "metrics": metrics,
    }


def _expected_in_words(evaluation: Evaluation, accuracy: Mapping[str, float]) -> str:
    figure = f"{100 * accuracy['value']:.1f} %"
    if "low" in accuracy:
        low, high = (f"{100 * accuracy[bound]:.1f}" for bound in ("low", "high"))
        figure += f" (95 % interval {low} to {high})"
    tested = f"accuracy {figure} on {evaluation.clip_count} clips"
    if evaluation.leaks:
        return (
            f"Its quality for new speakers is not known: it was evaluated by a protocol that leaks "
            f"({tested})."
        )
    whom = (
        "speakers that were not trained on"
        if evaluation.knows_speakers
        else "clips that were not trained on; the speakers are unknown"
    )
    return (
        "No clip is left to test it on. Its expected quality is that of the evaluation with the "
        f"same settings, {evaluation.protocol}: {tested} of {whom}."
    )


def _fitted_in_words(task: FoldRun, refits: bool) -> str:
    """Which clips were fitted, and whether some were held out."""
    held = sorted({str(clip.speaker) for clip in task.validation if clip.speaker is not None})
    clips = task.train if task.validation and not refits else (*task.train, *task.validation)
    speakers = len({clip.speaker for clip in clips if clip.speaker is not None})
    fitted = f"Fitted on {'all ' if len(clips) > len(task.train) else ''}{len(clips)} clips"
    fitted += f" of {speakers} speakers" if speakers else ""
    if not task.validation:
        return f"{fitted}; none was held out."
    whom = f"of {len(held)} speakers ({', '.join(held)})" if held else "of unknown speakers"
    if refits:
        return (
            f"{fitted}; choices were made on {len(task.validation)} clips {whom}, on which it was "
            "then fitted too."
        )
    return (
        f"{fitted}; {len(task.validation)} clips {whom} were held out, because choices are made on "
        "them."
    )
