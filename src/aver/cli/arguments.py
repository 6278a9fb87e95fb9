"""Arguments that several commands share, and what they stand for."""

from __future__ import annotations

import argparse
import atexit
import shlex
import shutil
import sys
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aver.cli.several_corpora import (
    add_several_corpora_arguments,
    named_corpora,
    open_corpora,
    roles_of,
)
from aver.cli.words import add_list_argument, parse_assignments, split_list
from aver.compatibility import upgrade
from aver.errors import CorpusError, SettingsError
from aver.execution.tasks import usable_cores

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus
    from aver.features.store import Failure, FeatureStore
    from aver.splits.split import Split


@dataclass(frozen=True)
class Command:
    """One command of the command line.

    Parameters
    ----------
    name : str
    summary : str
        One line for `aver --help`.
    example : str
        A command line that works as it stands, shown at the end of the help.
    add_arguments : callable
        Declares the arguments on a parser.
    run : callable
        Does the work and prints; returns the exit status.
    subcommands : tuple of Command
        Commands below this one (``aver corpus list``); `run` is then not called.
    aliases : tuple of str
        Other names that are accepted but not shown.
    """

    name: str
    summary: str
    example: str
    add_arguments: Callable[[ArgumentParser], None] = lambda parser: None
    run: Callable[[Namespace], int] = lambda arguments: 0
    subcommands: tuple[Command, ...] = ()
    aliases: tuple[str, ...] = ()


HELP_GROUPS = ("corpus", "system", "split", "run", "output")
"""Groups of options, in the order of the help; a command shows those that it has."""


def help_group(parser: ArgumentParser, title: str) -> argparse._ArgumentGroup:
    """The group of options with this title, made if it is missing."""
    for group in parser._action_groups:
        if group.title == title:
            return group
    return parser.add_argument_group(title)


def add_reader_arguments(parser: ArgumentParser, *, required: bool = True) -> None:
    """Declare the folder of a corpus and its reader."""
    group = help_group(parser, "corpus")
    group.add_argument(
        "--corpus", type=Path, required=required, metavar="DIR", help="folder of the corpus"
    )
    group.add_argument(
        "--reader",
        metavar="NAME",
        help="corpus reader, see 'aver corpus list' (default: guessed from the file names)",
    )
    add_list_argument(
        group,
        "--corpus-settings",
        "settings of the reader, for example pattern=... for the reader 'manifest'",
    )
    add_labels_argument(parser)


def add_labels_argument(parser: ArgumentParser) -> None:
    """Declare what codes and emotions of a corpus mean, and which are left out."""
    add_list_argument(
        parser,
        "--labels",
        "what codes or emotions of the corpus mean: a shared emotion, a class of your own, or "
        "'drop' to leave the clips out, for example W=angry L=boredom other=drop",
        metavar="CODE=WORD",
    )


def reader_settings(arguments: Namespace) -> dict[str, Any]:
    """The settings of the reader that ``--corpus-settings``, ``--labels`` and ``--drop`` name.

    Raises
    ------
    SettingsError
        If an item has no ``=``.
    """
    settings = parse_assignments(arguments.corpus_settings, "--corpus-settings")
    if arguments.labels:
        from aver.corpora.own_labels import parse_codes

        given = parse_codes("labels", settings.get("labels", {}))
        settings["labels"] = {**given, **parse_codes("--labels", ",".join(arguments.labels))}
    dropped = split_list(getattr(arguments, "drop", ""))
    if dropped:
        from aver.corpora.own_labels import parse_labels

        settings["drop"] = (*parse_labels(settings.get("drop", ())), *dropped)
    return settings


def add_corpus_arguments(parser: ArgumentParser, *, several: bool = False) -> None:
    """Declare the folder of a corpus (or of several), its reader, and which clips to use."""
    add_reader_arguments(parser, required=not several)
    if several:
        add_several_corpora_arguments(help_group(parser, "corpus"))
    add_strict_argument(parser)
    group = help_group(parser, "corpus")
    group.add_argument(
        "--emotions", default="", metavar="A,B", help="use only clips of these emotions"
    )
    group.add_argument(
        "--speakers", default="", metavar="A,B", help="use only clips of these speakers"
    )
    group.add_argument(
        "--channel",
        default="",
        choices=("", "speech", "song"),
        metavar="{speech,song}",
        help="use only speech, or only song",
    )
    add_action_units_argument(parser)


def add_run_corpus_arguments(parser: ArgumentParser) -> None:
    """Declare where the corpora of a finished run are now, for the case that they have moved."""
    add_reader_arguments(parser, required=False)
    add_several_corpora_arguments(help_group(parser, "corpus"))
    add_action_units_argument(parser, "; needed only if they have moved")


def add_action_units_argument(parser: ArgumentParser, remark: str = "") -> None:
    """Declare the action units of the clips, which are read from files."""
    group = help_group(parser, "corpus")
    group.add_argument(
        "--action-units",
        type=Path,
        metavar="PATH",
        help="action units: a CSV file with one row per clip, or a folder with one CSV file per "
        f"clip{remark}",
    )
    hidden = argparse.SUPPRESS  # the name of version 0.1
    group.add_argument("--units", dest="action_units", type=Path, default=hidden, help=hidden)


def add_stream_arguments(parser: ArgumentParser) -> None:
    """Declare which streams of the files are read."""
    for kind in ("video", "audio"):
        parser.add_argument(
            f"--{kind}-stream",
            type=int,
            metavar="N",
            help=f"{kind} stream to read, by its number in 'aver check' and ffprobe, which count "
            "all streams of a file from 0 (default: the one that players take)",
        )


def add_strict_argument(parser: ArgumentParser) -> None:
    """Declare whether an unreadable file is an error."""
    help_group(parser, "run").add_argument(
        "--strict", action="store_true", help="stop with an error if a file cannot be used"
    )


def add_work_arguments(parser: ArgumentParser) -> None:
    """Declare the number of processes and the feature cache."""
    add_workers_argument(parser)
    add_store_arguments(parser)


def add_store_arguments(parser: ArgumentParser) -> None:
    """Declare where extracted features are kept, and for how long."""
    add_cache_argument(parser)
    help_group(parser, "run").add_argument(
        "--no-cache",
        action="store_true",
        help="keep face crops and audio features only until the command ends, in a temporary "
        "folder that only you can read",
    )


def feature_store(arguments: Namespace) -> FeatureStore:
    """The feature cache that the arguments name; with ``--no-cache`` one that is removed at exit.

    Raises
    ------
    SettingsError
        If a cache folder and ``--no-cache`` are given.
    """
    from aver.features.store import FeatureStore

    if not arguments.no_cache:
        return FeatureStore(arguments.cache)
    if arguments.cache is not None:
        raise SettingsError("Give either --cache or --no-cache, not both.")
    folder = tempfile.mkdtemp(prefix="aver-")  # with mode 0700
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return FeatureStore(Path(folder))


def add_workers_argument(parser: ArgumentParser) -> None:
    """Declare the number of processes."""
    help_group(parser, "run").add_argument(
        "--workers",
        type=int,
        default=usable_cores(),
        metavar="N",
        help="number of processes (default: all available cores, here %(default)s)",
    )


def add_cache_argument(parser: ArgumentParser) -> None:
    """Declare the feature cache."""
    group = help_group(parser, "run")
    group.add_argument(
        "--cache",
        type=Path,
        metavar="DIR",
        help="feature cache (default: $AVER_CACHE, or a folder in your user cache)",
    )


PRESET = "mrpn-compact"
"""What `train` and `evaluate` run unless a preset is named."""


def add_system_arguments(parser: ArgumentParser) -> None:
    """Declare the system's changed settings and its split, for `train` and `evaluate`."""
    add_corpus_arguments(parser, several=True)
    system = help_group(parser, "system")
    add_list_argument(
        system,
        "--set",
        "settings to change in the preset, for example network=N1 training.epochs=20",
    )
    system.add_argument(
        "--modalities",
        default="",
        metavar="A,B",
        help="use only these of: video, audio, action_units (default: those of the preset that "
        "the clips have, and action units if they are given)",
    )
    system.add_argument(
        "--targets",
        default="",
        metavar="A,B",
        help="targets to train, of: emotion, intensity, votes-voice, votes-face, votes-both "
        "(default: those of the preset)",
    )
    split = help_group(parser, "split")
    split.add_argument(
        "--split",
        metavar="FILE|RULE",
        help="JSON file of a split, or a rule such as leave-one-speaker-out "
        "(default: speaker-independent folds; of several corpora leave-one-corpus-out)",
    )
    add_list_argument(split, "--split-settings", "settings of the split rule")
    add_init_argument(parser)
    add_adapt_argument(parser, "features")
    add_work_arguments(parser)


def add_init_argument(parser: ArgumentParser) -> None:
    """Declare the pretrained weights that a training starts from."""
    help_group(parser, "system").add_argument(
        "--init",
        default="",
        metavar="video=NAME|PATH,audio=NAME|PATH",
        help="pretrained weights to start from: a name of 'aver list weights', a file, or a run "
        "folder of 'aver pretrain'; they are frozen at first, then trained at a tenth of the "
        "learning rate",
    )


def add_adapt_argument(parser: ArgumentParser, what: str) -> None:
    """Declare the adaptation to speakers."""
    help_group(parser, "system").add_argument(
        "--adapt",
        default="",
        choices=("", "speaker"),
        metavar="{speaker}",
        help=f"speaker: normalize the {what} of each speaker with all of the speaker's clips, "
        "without labels; the results say so",
    )


def corpus_of(arguments: Namespace) -> Corpus:
    """Open the corpus that the arguments name, or join several, with the clips that they select.

    Raises
    ------
    CorpusError
        With ``--strict``, if the reader could not use a file.
    SettingsError
        If no corpus is named, or one and several.
    """
    from aver.corpora.corpus import Selection

    corpus = _named_corpus(arguments)
    check_strict(corpus, arguments.strict)
    selection = Selection(
        emotions=split_list(arguments.emotions),
        speakers=split_list(arguments.speakers),
        channel=arguments.channel,
    )
    return _with_action_units(selection.apply(corpus), arguments)


def corpus_of_run(arguments: Namespace, run: Path) -> Corpus:
    """Open the corpus of a finished run.

    Parameters
    ----------
    arguments : Namespace
        With the arguments of `add_run_corpus_arguments`; ``--corpus`` has precedence.
    run : Path
        Run folder. Its ``settings.yaml`` names the command, or at least the folder and the reader.

    Raises
    ------
    CorpusError
        If the corpus does not exist (any more).
    SettingsError
        If `run` is not a run folder.
    """
    if arguments.corpus is not None or named_corpora(arguments):
        return _with_action_units(_named_corpus(arguments), arguments)
    corpus = recorded_corpus(run)
    if corpus is None:
        settings = _run_settings(run)
        if settings.get("corpora"):
            raise CorpusError(
                f"The {len(settings['corpora'])} corpora of the run at {run} are not all where its "
                f"command names them ({', '.join(settings['corpora'])}). Name them with --corpora."
            )
        raise CorpusError(
            f"The corpus of the run at {run} is not at {settings.get('corpus_root', '')} any more. "
            "Name its folder with --corpus."
        )
    return corpus


def recorded_corpus(run: Path) -> Corpus | None:
    """Open the corpus that a run folder names; None if it does not exist (any more).

    Raises
    ------
    SettingsError
        If `run` is not a run folder.
    """
    from aver.corpora import open_corpus
    from aver.corpora.corpus import corpora

    settings = _run_settings(run)
    recorded = _corpus_arguments(str(settings.get("command", "")))
    if recorded is not None and all(path.exists() for path in _paths(recorded)):
        return corpus_of(recorded)
    root, reader = Path(str(settings.get("corpus_root", ""))), str(settings.get("corpus", ""))
    is_there = root.name and root.exists() and reader in corpora.names()  # not several corpora
    return open_corpus(root, reader) if is_there else None


def _paths(arguments: Namespace) -> list[Path]:
    """Folders of all corpora that the arguments name."""
    single = [] if arguments.corpus is None else [arguments.corpus]
    return [*single, *(corpus.path for corpus in named_corpora(arguments))]


def _named_corpus(arguments: Namespace) -> Corpus:
    """The corpus, or several joined, before clips are selected."""
    from aver.corpora import open_corpus

    several = named_corpora(arguments)
    if several and arguments.corpus is not None:
        raise SettingsError("Name either one corpus with --corpus or several, not both.")
    if several:
        return open_corpora(arguments)
    if arguments.corpus is None:
        raise SettingsError(
            "Name a corpus with --corpus, or several with --corpora, or with --train-corpus and "
            f"--test-corpus. See '{arguments.prog} --help'."
        )
    if getattr(arguments, "merge", None):
        raise SettingsError(
            "--merge is for several corpora (--corpora A B). With one write --labels "
            f"{arguments.merge[0]}."
        )
    return open_corpus(arguments.corpus, arguments.reader, **reader_settings(arguments))


def _with_action_units(corpus: Corpus, arguments: Namespace) -> Corpus:
    from aver.corpora.user_files import attach_action_units

    return attach_action_units(corpus, arguments.action_units) if arguments.action_units else corpus


def _run_settings(run: Path) -> dict[str, Any]:
    import yaml

    from aver.execution.documents import parse_yaml, read_document

    path = run / "settings.yaml"
    try:
        settings = parse_yaml(read_document(path))
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise SettingsError(
            f"{run} is not a run folder of 'aver train' or 'aver evaluate': settings.yaml cannot "
            f"be read ({error})."
        ) from None
    if not isinstance(settings, dict):
        raise SettingsError(f"{path} holds no settings.")
    return settings


def _corpus_arguments(command: str) -> Namespace | None:
    """The corpus arguments of a recorded command; None if it names no corpus."""
    parser = ArgumentParser(exit_on_error=False, allow_abbrev=False, add_help=False)
    add_corpus_arguments(parser, several=True)
    try:
        arguments, _ = parser.parse_known_args(shlex.split(command))
        return arguments if _paths(arguments) else None
    except (argparse.ArgumentError, ValueError, SettingsError):
        return None


def check_strict(corpus: Corpus, strict: bool) -> None:
    """Raise CorpusError if `strict` and the reader could not use a file."""
    if strict and corpus.problems:
        first = corpus.problems[0]
        raise CorpusError(f"{first.path} cannot be used: {first.reason}")


def split_of(arguments: Namespace, corpus: Corpus) -> Split:
    """The split that ``--split`` and ``--split-settings`` name: a file, a rule, or the default.

    ``--train-corpus`` and ``--test-corpus`` stand for the rule ``cross-corpus``.

    Raises
    ------
    SettingsError
        If a split is named besides training and test corpora.
    """
    from aver.splits import load_split, make_split
    from aver.splits.rule import default_split

    settings = parse_assignments(arguments.split_settings, "--split-settings")
    roles = roles_of(arguments, corpus)
    if roles and arguments.split not in (None, "cross-corpus"):
        raise SettingsError(
            "--train-corpus and --test-corpus determine the split. Leave out --split, or name all "
            "corpora with --corpora."
        )
    if roles:
        return make_split(corpus, "cross-corpus", **{**settings, **roles})
    if arguments.split is None:
        return default_split(corpus)
    if Path(arguments.split).suffix == ".json":
        return load_split(arguments.split, corpus)
    return make_split(corpus, arguments.split, **settings)


def overrides_of(arguments: Namespace, preset: str) -> dict[str, Any]:
    """The settings that ``--set``, ``--modalities``, ``--targets`` and ``--init`` change."""
    overrides = parse_assignments(arguments.set, "--set")
    for name in ("modalities", "targets"):
        names = split_list(getattr(arguments, name))
        if names:
            overrides[name] = list(names)
    return with_init(arguments, preset, upgrade(overrides))  # names of version 0.1


def with_init(arguments: Namespace, preset: str, overrides: dict[str, Any]) -> dict[str, Any]:
    """These changed settings, and those that ``--init`` adds to the preset."""
    if not arguments.init:
        return overrides
    from aver.models.base.presets import start_from

    return start_from(preset, overrides, _weights_by_modality(arguments.init))


def settings_for(arguments: Namespace, preset: str, corpus: Corpus) -> dict[str, Any]:
    """The changed settings, with the modalities that the clips have; says so in one line."""
    from aver.evaluation.modalities import deduce_modalities

    overrides, said = deduce_modalities(preset, overrides_of(arguments, preset), corpus)
    if said:
        print(said)
    return overrides


def _weights_by_modality(text: str) -> dict[str, str]:
    """Read ``video=NAME,audio=PATH``; a name stays text, also ``007``.

    Raises
    ------
    SettingsError
        If an item has no ``=``, or a modality is named twice.
    """
    weights: dict[str, str] = {}
    for item in split_list(text):
        modality, equals, name = item.partition("=")
        modality = {"visual": "video"}.get(modality, modality)  # its name in version 0.1
        if not equals or modality in weights:
            raise SettingsError(
                f"--init takes video=NAME|PATH,audio=NAME|PATH, each at most once, not {text!r}."
            )
        weights[modality] = name
    return weights


def typed_command(arguments: Namespace) -> str:
    """The command line as it was typed or given to `aver.cli.main.main`, for the record."""
    return shlex.join(["aver", *arguments.words])


def print_path(path: Path) -> None:
    """Say which file or folder a command wrote."""
    print(f"Wrote {path}")


def print_final(run: Path) -> None:
    """Say what the recognizer of a run was fitted on, and how well it is expected to predict."""
    from aver.evaluation.final import statements_of

    for statement in statements_of(run):
        print(statement)


def print_notes(corpus: Corpus) -> None:
    """Say on standard error which emotions joined corpora have in common, and what is left out."""
    for note in corpus.notes:
        print(note, file=sys.stderr)


def print_unusable(corpus: Corpus, failures: Sequence[Failure] = ()) -> None:
    """List on standard error what was skipped: files by the reader, clips by the extraction."""
    skipped = [(str(problem.path), problem.reason) for problem in corpus.problems]
    skipped += [(failure.clip.clip_id, failure.reason) for failure in failures]
    if skipped:
        print(f"{len(skipped)} files could not be used:", file=sys.stderr)
    for name, reason in skipped:
        print(f"  {name}: {reason}", file=sys.stderr)
