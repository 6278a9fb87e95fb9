"""`aver completion`: a script that completes commands, options and files in a shell."""

from __future__ import annotations

import argparse
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping
from pathlib import Path

from aver.cli.arguments import Command

_SHELLS = ("bash", "zsh", "tcsh")


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "shell",
        choices=_SHELLS,
        metavar="SHELL",
        help=f"one of: {', '.join(_SHELLS)}; for bash write the output to "
        "~/.local/share/bash-completion/completions/aver, for zsh to a file _aver in a folder of "
        "$fpath",
    )


def _run(arguments: Namespace) -> int:
    import shtab

    from aver.cli.main import build_parser

    parser = build_parser()
    _complete_paths(parser, shtab.FILE, shtab.DIRECTORY)
    print(shtab.complete(parser, arguments.shell))
    return 0


def _complete_paths(
    parser: ArgumentParser, files: Mapping[str, object], folders: Mapping[str, object]
) -> None:
    """Complete the names of files and folders where an argument takes them."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for child in action.choices.values():
                _complete_paths(child, files, folders)
        elif action.type is Path:
            kind = folders if action.metavar in ("DIR", "RUN") else files
            action.complete = kind  # type: ignore[attr-defined]


COMMAND = Command(
    name="completion",
    summary="Print a script that completes commands and options in your shell.",
    example="aver completion bash",
    add_arguments=_add_arguments,
    run=_run,
)
