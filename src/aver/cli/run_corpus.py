"""The corpus that a finished run was made on, as its record says or as somebody names it."""

from __future__ import annotations

import argparse
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsonargparse import ArgumentParser, Namespace

from aver.cli.command import (
    add_corpus_arguments,
    add_reader_arguments,
    open_named_corpus,
    parse_assignments,
)
from aver.errors import CorpusError, SettingsError

if TYPE_CHECKING:
    from aver.corpora.corpus import Corpus


def add_run_corpus_arguments(parser: ArgumentParser) -> None:
    """Declare where the clips of a run lie now, if they moved."""
    add_reader_arguments(parser, required=False)
    parser.add_argument(
        "--units", type=Path, metavar="PATH", help="action units as the run had them, if they moved"
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
    from aver.corpora.unit_files import attach_units

    if arguments.corpus is not None:
        named = parse_assignments(arguments.corpus_settings, "--corpus-settings")
        corpus = open_corpus(arguments.corpus, arguments.reader, **named)
        return attach_units(corpus, arguments.units) if arguments.units else corpus
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
