"""The corpus that a finished run was made on, as its record says or as somebody names it."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from aver.errors import CorpusError, SettingsError
from aver.execution.tasks import usable_cores

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus


AnyParser = ArgumentParser | argparse.ArgumentParser


@dataclass(frozen=True)
class Command:
    """One verb of the command line.

    Parameters
    ----------
    name : str
    summary : str
        One line for `aver --help`.
    example : str
        A command line that can be typed as it stands, shown at the end of the help.
    add_arguments : callable
        Declares the arguments on a parser.
    run : callable
        Does the work and prints; returns the exit status.
    verbs : tuple of Command
        Commands below this one (``aver corpus list``); then `run` is never called itself.
    """

    name: str
    summary: str
    example: str
    add_arguments: Callable[[ArgumentParser], None] = lambda parser: None
    run: Callable[[Namespace], int] = lambda arguments: 0
    verbs: tuple[Command, ...] = ()


def add_reader_arguments(parser: AnyParser, *, required: bool = True) -> None:
    """Declare where the clips come from; not `required` where a run's record may say it."""
    parser.add_argument(
        "--corpus",
        type=Path,
        required=required,
        metavar="DIR",
        help="folder of the corpus" if required else "folder of the corpus, if it has moved",
    )
    parser.add_argument(
        "--reader",
        metavar="NAME",
        help="corpus reader, see 'aver corpus list'; guessed from the file names by default",
    )
    add_words_argument(
        parser,
        "--corpus-settings",
        "settings of the reader, for instance pattern=... for 'manifest'",
    )


def add_words_argument(
    parser: AnyParser, name: str, about: str, metavar: str = "KEY=VALUE"
) -> None:
    """Declare an option that takes several words, and may be given several times."""
    parser.add_argument(name, nargs="+", action="extend", default=[], metavar=metavar, help=about)


def add_corpus_arguments(parser: AnyParser, *, required: bool = True) -> None:
    """Declare where the clips come from, and which of them to keep."""
    add_reader_arguments(parser, required=required)
    add_strict_argument(parser)
    parser.add_argument(
        "--emotions", default="", metavar="A,B", help="keep only clips of these emotions"
    )
    parser.add_argument(
        "--speakers", default="", metavar="A,B", help="keep only clips of these speakers"
    )
    parser.add_argument(
        "--action-units",
        type=Path,
        metavar="PATH",
        help="action units: a CSV with one row per clip, or a folder of one CSV per clip",
    )
    parser.add_argument(
        "--channel", default="", choices=("", "speech", "song"), help="keep only speech, or song"
    )


def add_strict_argument(parser: AnyParser) -> None:
    """Declare what a bad file means."""
    parser.add_argument(
        "--strict", action="store_true", help="make a file that cannot be used an error"
    )


def add_work_arguments(parser: ArgumentParser) -> None:
    """Declare how work runs."""
    parser.add_argument(
        "--workers",
        type=int,
        default=usable_cores(),
        metavar="N",
        help="processes for independent work (default: %(default)s, the cores at hand)",
    )
    parser.add_argument(
        "--cache", type=Path, metavar="DIR", help="feature cache (default: $AVER_CACHE, else yours)"
    )


def open_named_corpus(arguments: Namespace) -> Corpus:
    """Open the corpus that the arguments name, with its clips selected.

    Raises
    ------
    CorpusError
        With ``--strict``, if the reader could not use a file.
    """
    from aver.corpora import open_corpus
    from aver.corpora.corpus import Selection
    from aver.corpora.user_files import attach_action_units

    settings = parse_assignments(arguments.corpus_settings, "--corpus-settings")
    corpus = open_corpus(arguments.corpus, arguments.reader, **settings)
    if arguments.strict and corpus.problems:
        first = corpus.problems[0]
        raise CorpusError(f"{first.path} cannot be used: {first.reason}")
    selection = Selection(
        emotions=parse_words(arguments.emotions),
        speakers=parse_words(arguments.speakers),
        channel=arguments.channel,
    )
    corpus = selection.apply(corpus)
    return attach_action_units(corpus, arguments.action_units) if arguments.action_units else corpus


def parse_words(text: str) -> tuple[str, ...]:
    """Read ``a,b,c``; nothing from an empty text.

    Examples
    --------
    >>> parse_words("happy, sad")
    ('happy', 'sad')
    """
    return tuple(word.strip() for word in text.split(",") if word.strip())


def parse_assignments(words: Sequence[str], option: str) -> dict[str, Any]:
    """Read ``KEY=VALUE`` words; values are YAML, or plain text where they are none.

    Raises
    ------
    SettingsError
        If a word has no ``=``.

    Examples
    --------
    >>> parse_assignments(["epochs=3", "pattern={speaker}-{take}.mp4"], "--set")
    {'epochs': 3, 'pattern': '{speaker}-{take}.mp4'}
    """
    import yaml

    values: dict[str, Any] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key:
            raise SettingsError(f"{option} takes KEY=VALUE, not {word!r}.")
        try:
            values[key] = yaml.safe_load(text)
        except yaml.YAMLError:
            values[key] = text
    return values


def typed_command() -> str:
    """The command line as it was typed, for the record."""
    return shlex.join(["aver", *sys.argv[1:]])


def print_path(path: Path) -> None:
    """End a command by saying what it wrote."""
    print(f"Wrote {path}")


def add_run_corpus_arguments(parser: ArgumentParser) -> None:
    """Declare where the clips of a run lie now, if they moved."""
    add_reader_arguments(parser, required=False)
    parser.add_argument(
        "--action-units",
        type=Path,
        metavar="PATH",
        help="action units as the run had them, if they moved",
    )


def open_run_corpus(arguments: Namespace, run: Path) -> Corpus:
    """Open the corpus of a run.

    Parameters
    ----------
    arguments : Namespace
        With what `add_run_corpus_arguments` declared; ``--corpus`` goes first.
    run : Path
        Run folder. Its ``settings.yaml`` names the command, or at least folder and reader.

    Raises
    ------
    CorpusError
        If the corpus is not there (any more).
    SettingsError
        If `run` is no run folder.
    """
    from aver.corpora import open_corpus
    from aver.corpora.user_files import attach_action_units

    if arguments.corpus is not None:
        named = parse_assignments(arguments.corpus_settings, "--corpus-settings")
        corpus = open_corpus(arguments.corpus, arguments.reader, **named)
        return (
            attach_action_units(corpus, arguments.action_units)
            if arguments.action_units
            else corpus
        )
    found = recorded_corpus(run)
    if found is None:
        raise CorpusError(
            f"The corpus of the run at {run} is not at {read_settings(run).get('corpus_root', '')} "
            "any more. Say where it is with --corpus."
        )
    return found


def recorded_corpus(run: Path) -> Corpus | None:
    """The corpus as the run's own record names it; None where it is not there (any more).

    Raises
    ------
    SettingsError
        If `run` is no run folder.
    """
    from aver.corpora import open_corpus

    settings = read_settings(run)
    recorded = _recorded(str(settings.get("command", "")))
    if recorded is not None and recorded.corpus.exists():
        return open_named_corpus(recorded)
    root = Path(str(settings.get("corpus_root", "")))
    return open_corpus(root, str(settings["corpus"])) if root.name and root.exists() else None


def read_settings(run: Path) -> dict[str, Any]:
    """What ``settings.yaml`` of a run folder says.

    Raises
    ------
    SettingsError
        If there is none, or it is none of ours.
    """
    import yaml

    target = run / "settings.yaml"
    try:
        found = yaml.safe_load(target.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise SettingsError(
            f"{run} is no run folder of 'aver train' or 'aver evaluate': settings.yaml cannot be "
            f"read ({error})."
        ) from None
    if not isinstance(found, dict):
        raise SettingsError(f"{target} holds no settings.")
    return found


def _recorded(command: str) -> Any:
    """The corpus arguments of a recorded command; None where it names no corpus."""
    parser = argparse.ArgumentParser(exit_on_error=False, allow_abbrev=False, add_help=False)
    add_corpus_arguments(parser, required=False)
    try:
        found, _ = parser.parse_known_args(shlex.split(command))
    except (argparse.ArgumentError, ValueError):
        return None
    return found if found.corpus is not None else None
