"""What the command line does, as Python functions; ``import aver`` offers them.

Each function imports what it needs: predicting imports neither evaluation nor training.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.corpora import Clip, combine, open_corpus
from aver.corpora.corpus import Corpus
from aver.errors import SettingsError
from aver.features.store import FeatureStore
from aver.media.recording import Recording
from aver.splits.rule import default_split
from aver.splits.split import Split

if TYPE_CHECKING:
    from aver.evaluation.baselines import BaselineChoice
    from aver.evaluation.experiment import ExperimentResult
    from aver.evaluation.final import FinalRecognizer
    from aver.evaluation.robustness import DegradedRuns, RobustnessPlan
    from aver.features.extracted import Features
    from aver.features.store import FeatureSource
    from aver.models.base.predict_files import FilePredictions
    from aver.models.base.recognizer import Recognizer
    from aver.reports.file_check import FileCheck
    from aver.reports.results import Results
    from aver.reports.run_report import WrittenReport

__all__ = [
    "Recording",
    "check",
    "combine",
    "evaluate",
    "extract",
    "load",
    "open_corpus",
    "predict",
    "report",
    "robustness",
    "train",
    "train_final",
]


def extract(
    clips: Sequence[Clip] | Corpus,
    feature: str = "egemaps",
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
    **settings: Any,
) -> Features:
    """Compute a feature of clips, for other programs.

    Parameters
    ----------
    clips : Corpus, or sequence of Clip
    feature : str
        Name, see ``aver list features``.
    store : FeatureStore, optional
    workers : int >= 1
        Processes.
    **settings
        Of the feature.

    Returns
    -------
    Features
        ``features.to_frame()`` is a DataFrame with ids, labels and numbers.

    Raises
    ------
    SettingsError
        If there is no such feature, or it has no such setting.
    """
    from aver.features.extracted import extract
    from aver.features.feature import feature_from_settings

    chosen = feature_from_settings(feature, settings)
    return extract(tuple(clips), chosen, store or FeatureStore(), workers=workers)


def train(
    corpus: Corpus,
    preset: str = "mrpn-compact",
    *,
    out: str | Path,
    split: Split | None = None,
    fold: int = 0,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
    adapt: str = "",
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
    command: str = "",
) -> ExperimentResult:
    """Fit one recognizer on one fold and test it there.

    Parameters
    ----------
    corpus : Corpus
    preset : str
        Name (see ``aver list presets``) or path of a preset.
    out : str or Path
        Run folder. An interrupted training is resumed.
    split : Split, optional
        Default: `aver.splits.rule.default_split`, speaker-independent.
    fold : int >= 0
        Which fold of the split.
    overrides : mapping, optional
        Settings that replace the preset's, by dotted key.
    seed : int
    adapt : {"", "speaker"}
        Normalize features by each speaker's unlabeled clips; title, protocol and card then say
        that the run uses unlabeled clips of test speakers.
    store : FeatureStore, optional
    workers : int >= 1
        Processes for feature extraction.
    strict : bool
        Raise an error for a clip that cannot be used.
    command : str
        The command line, for the record.

    Returns
    -------
    ExperimentResult
        Its folder holds the checkpoint; `load` reads it.

    Raises
    ------
    SettingsError
        If the split has no such fold.
    """
    from aver.evaluation.experiment import Experiment, run_experiment
    from aver.evaluation.modalities import deduce_modalities

    overrides, _ = deduce_modalities(preset, overrides or {}, corpus)
    split = split or default_split(corpus)
    if not 0 <= fold < len(split.folds):
        raise SettingsError(
            f"The split has {len(split.folds)} folds, numbered from 0; there is no fold {fold}."
        )
    experiment = Experiment(
        corpus,
        replace(split, rule=f"{split.rule}, fold {fold}", folds=(split.folds[fold],)),
        preset,
        overrides,
        (seed,),
        command=command,
        adapt=adapt,
        fold_numbers=(fold,),
    )
    return run_experiment(experiment, Path(out), store=store, workers=workers, strict=strict)


def train_final(
    corpus: Corpus,
    preset: str = "mrpn-compact",
    *,
    out: str | Path,
    split: Split | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
    adapt: str = "",
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
    command: str = "",
) -> FinalRecognizer:
    """Fit the recognizer to use, on every clip; `load` and `predict` then take it.

    Parameters
    ----------
    corpus, preset, split, overrides, seed, adapt, store, strict, command
        As in `train`. Choices are made on the validation clips of the split's first fold, see
        `aver.evaluation.final.fit_final`.
    out : str or Path
        Run folder; the recognizer is written to ``final/`` there. If the folder holds an
        evaluation with the same settings, its figures are the expected quality.
    workers : int >= 1
        Processes for feature extraction.

    Returns
    -------
    FinalRecognizer

    Raises
    ------
    SettingsError
        If the folder holds an evaluation of other settings.
    """
    from aver.evaluation.experiment import Experiment
    from aver.evaluation.final import fit_final
    from aver.evaluation.modalities import deduce_modalities

    overrides, _ = deduce_modalities(preset, overrides or {}, corpus)
    split = split or default_split(corpus)
    experiment = Experiment(corpus, split, preset, overrides, (seed,), command=command, adapt=adapt)
    return fit_final(experiment, Path(out), store=store, workers=workers, strict=strict)


def evaluate(
    corpus: Corpus,
    preset: str = "mrpn-compact",
    *,
    out: str | Path,
    split: Split | None = None,
    overrides: Mapping[str, Any] | None = None,
    name: str = "",
    corpus_title: str = "",
    further: Mapping[str, Mapping[str, Any]] | None = None,
    seeds: Sequence[int] = (0,),
    baselines: BaselineChoice = "all",
    leaking: bool = False,
    final: bool = False,
    adapt: str = "",
    store: FeatureStore | None = None,
    workers: int = 1,
    strict: bool = False,
    command: str = "",
) -> Results:
    """Fit and test on every fold and seed, with baselines on the same folds, and write a report.

    Parameters
    ----------
    corpus, preset, out, split, overrides, adapt, store, workers, strict, command
        As in `train`; with several workers folds run in parallel. A corpus that `combine` has
        joined is by default tested by leaving one corpus out; with the rules ``cross-corpus`` and
        ``train-on-one-corpus`` (`aver.splits.make_split`) other pairs are tested. The report then
        has a matrix of training and test corpora.
    name, corpus_title : str
        Names of the system and of the corpus in tables.
    further : mapping of str to mapping, optional
        Further presets with their overrides, run on the same folds and seeds and compared with the
        first. Their run folders are below ``systems/``.
    seeds : sequence of int
        Every fold is fitted once per seed.
    baselines : {"all", "quick", "none"}
        ``"quick"``: majority class and functionals; ``"all"``: unimodal networks and their late
        fusion too.
    leaking : bool
        Run the system's own leaking protocol, if it has one.
    final : bool
        Fit the system on every clip afterwards, as `train_final`; `load` then takes it.

    Returns
    -------
    Results
        A tuple of `ExperimentResult`: the system first, then the further ones, then baselines.
        ``results.predictions`` and ``results.summary()`` are DataFrames, ``results.plot()`` is a
        figure; printed, it is a table. The run folder holds ``report.html``.
    """
    from aver.evaluation.baselines import run_baselines
    from aver.evaluation.experiment import Experiment, run_experiment, run_systems
    from aver.evaluation.final import check_can_be_final, fit_final
    from aver.evaluation.modalities import deduce_modalities
    from aver.reports.results import Results
    from aver.reports.run_report import write_run_report

    overrides, _ = deduce_modalities(preset, overrides or {}, corpus)
    further = {
        name: deduce_modalities(name, changes, corpus)[0]
        for name, changes in (further or {}).items()
    }
    experiment = Experiment(
        corpus,
        split or default_split(corpus),
        preset,
        overrides,
        tuple(seeds),
        name=name,
        corpus_title=corpus_title,
        leaking=leaking,
        adapt=adapt,
        command=command,
    )
    if final:
        check_can_be_final(experiment)
    store = store or FeatureStore()
    result = run_experiment(experiment, Path(out), store=store, workers=workers, strict=strict)
    others = run_systems(experiment, Path(out) / "systems", further, store=store, workers=workers)
    others += run_baselines(
        experiment,
        Path(out) / "baselines",
        baselines,
        beside=(result, *others),
        store=store,
        workers=workers,
    )
    write_run_report(result, others, corpus)
    if final:
        fit_final(experiment, Path(out), result.evaluation, store=store, workers=workers)
    return Results((result, *others))


def robustness(
    run: str | Path,
    corpus: Corpus,
    plan: RobustnessPlan | None = None,
    *,
    store: FeatureStore | None = None,
    workers: int = 1,
) -> tuple[DegradedRuns, ...]:
    """Let the recognizers of a finished run predict degraded media; nothing is trained.

    Parameters
    ----------
    run : str or Path
        Run folder of `evaluate` or `train`, with its checkpoints. Curves and tables of everything
        that was measured of it are written to ``robustness/`` there.
    corpus : Corpus
        With the clips that it tested.
    plan : RobustnessPlan, optional
        Kinds of degradation and their levels; default all.
    store, workers
        As in `evaluate`.

    Returns
    -------
    tuple of DegradedRuns
        What was requested now.

    Raises
    ------
    SettingsError
        If `run` is not a run folder, or no degradation affects what the system reads.
    CheckpointError
        If the run kept no checkpoints, or tested clips that `corpus` lacks.
    """
    from aver.evaluation.evaluation_folder import load_evaluation
    from aver.evaluation.robustness import RobustnessPlan, measure_robustness, read_robustness
    from aver.reports.robustness_report import MeasuredRun, write_robustness

    folder = Path(run)
    evaluation = load_evaluation(folder)
    measured = measure_robustness(
        evaluation,
        folder,
        corpus.clips,
        store or FeatureStore(),
        plan or RobustnessPlan(),
        workers=workers,
    )
    write_robustness(MeasuredRun(evaluation, read_robustness(evaluation, folder)), folder)
    return measured


def report(
    runs: str | Path | Sequence[str | Path],
    *,
    out: str | Path | None = None,
    corpus: Corpus | None = None,
    media: bool = False,
    command: str = "",
) -> WrittenReport:
    """Write one page, a model card and all tables on one or several finished runs.

    Parameters
    ----------
    runs : path or sequence of paths
        Run folders of `evaluate` or `train`; the first is reported, others are compared with it.
    out : str or Path, optional
        Default: the first run's folder; with several runs ``compared/`` in it.
    corpus : Corpus, optional
        Of the first run: without it the page has no audit and no images of clips.
    media : bool
        Show a frame and a spectrogram of the worst clips; share such a page only as the clips'
        license allows.
    command : str
        The command line, for the record.

    Returns
    -------
    WrittenReport
        ``page``, ``card``, and the summary in ``words``.

    Raises
    ------
    SettingsError
        If a folder holds no evaluation.
    """
    from aver.reports.run_report import report_runs

    folders = [runs] if isinstance(runs, str | Path) else runs
    return report_runs(
        [Path(folder) for folder in folders],
        out=None if out is None else Path(out),
        corpus=corpus,
        media=media,
        command=command,
    )


def load(run: str | Path, store: FeatureSource | None = None) -> Recognizer:
    """Load a trained recognizer; see `aver.models.base.recognizer.load_recognizer`."""
    from aver.models.base.recognizer import load_recognizer

    return load_recognizer(run, store)


def _recognizer(
    checkpoint: str | Path | None, store: FeatureStore, *, adapted: bool = False
) -> Recognizer:
    """The recognizer that the user names, or the one that comes with the package."""
    from aver.models.base.checkpoint import DEFAULT, DEFAULT_ADAPTED
    from aver.networks.shipped import find_shipped

    if checkpoint is None:
        name = DEFAULT_ADAPTED if adapted else DEFAULT
        checkpoint = find_shipped(name, "recognizer").checked()  # not a folder of that name
    return load(checkpoint, store)


def predict(
    paths: Any,
    checkpoint: str | Path | None = None,
    *,
    action_units: str | Path | None = None,
    speaker_clips: str | Path | None = None,
    speaker_by: str = "",
    video_stream: int | None = None,
    audio_stream: int | None = None,
    store: FeatureStore | None = None,
    workers: int = 1,
) -> FilePredictions:
    """Predict the emotions of the user's own files.

    Parameters
    ----------
    paths : object
        A path (str or Path) of a video, an audio file, a picture or a folder; a file object opened
        in binary mode; the bytes of a media file; audio as ``(samples, rate_hz)``; an RGB picture
        as an array; an `aver.Recording`; or several of them in a list or another iterable.
    checkpoint : str or Path, optional
        Run folder of `train`, a checkpoint folder, or a name of ``aver list weights``. Default:
        weights that come with the package, see `aver.models.base.checkpoint.DEFAULT`.
    action_units : str or Path, optional
        Action units: a CSV with one row per clip, or a folder with one CSV per clip, keyed by file
        names. Clips that are not in it are predicted without action units.
    speaker_clips : str or Path, optional
        Folder of other clips of the one speaker of all `paths`, without labels: features are
        normalized by that speaker's clips.
    speaker_by : str
        How to read the speaker of each file. Each speaker is adapted on his or her own clips among
        `paths`: ``"folder"``, a pattern such as ``"{speaker}_{take}.mp4"``, or a table and its
        column, ``"clips.csv:speaker"``; see `aver.corpora.speaker_names.name_speakers`. Files of
        a speaker with fewer than 8 usable clips are not predicted but listed.
    video_stream, audio_stream : int, optional
        Streams of the files to read, counted from 0 among all streams of a file, as `check` prints
        them. Default: those that players take.
    store : FeatureStore, optional
        Data in memory leave nothing in it.
    workers : int >= 1
        Processes that compute features.

    Returns
    -------
    FilePredictions
        One row per file, in the order given; printed, it is a short table. A file that cannot be
        read has an empty emotion and its reason among the flags. ``result.to_frame()`` is a
        DataFrame with ``path``, ``clip``, ``emotion``, ``flags`` and all probabilities.

    Examples
    --------
    >>> found = predict("no-such-clip.mp4")
    >>> found.to_frame()[["path", "emotion", "flags"]].values.tolist()
    [['no-such-clip.mp4', '', 'The file cannot be read: No such file or directory.']]
    """
    from aver.models.base.predict_files import predict_files

    store = store or FeatureStore()
    return predict_files(
        _recognizer(checkpoint, store, adapted=bool(speaker_clips or speaker_by)),
        paths,
        store,
        workers,
        action_units=None if action_units is None else Path(action_units),
        speaker_clips=() if speaker_clips is None else (Path(speaker_clips),),
        speaker_by=speaker_by,
        video_stream=video_stream,
        audio_stream=audio_stream,
    )


def check(
    paths: str | Path | Sequence[str | Path],
    checkpoint: str | Path | None = None,
    *,
    video_stream: int | None = None,
    audio_stream: int | None = None,
    store: FeatureStore | None = None,
) -> list[FileCheck]:
    """What aver sees in files: tracks, lengths, faces, speech, and the flags of a prediction.

    Parameters
    ----------
    paths : str, Path or sequence of them
        Pictures, videos or audio files, broken or not, and folders of them.
    checkpoint : str or Path, optional
        As in `predict`; the flags are those of its predictions.
    video_stream, audio_stream : int, optional
        As in `predict`.
    store : FeatureStore, optional

    Returns
    -------
    list of FileCheck
        One per file, in the order given; those of a folder by name. A file that cannot be used has
        ``problems``.
    """
    from aver.reports.file_check import check_files

    store = store or FeatureStore()
    recognizer = _recognizer(checkpoint, store)
    files = [paths] if isinstance(paths, str | Path) else paths
    return list(
        check_files(
            [Path(path).expanduser() for path in files],
            recognizer,
            store,
            video_stream=video_stream,
            audio_stream=audio_stream,
        )
    )
