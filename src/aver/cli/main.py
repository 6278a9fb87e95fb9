"""The `aver` command: parses the command line, runs a command, prints errors as one line."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from io import TextIOWrapper
from pathlib import Path
from typing import Any, NoReturn

from aver import __version__
from aver.cli.arguments import HELP_GROUPS, Command, help_group
from aver.errors import AverError, SettingsError
from aver.execution.files import printable

_COMMANDS = (
    "demo",
    "list",
    "corpus",
    "split",
    "audit",
    "features",
    "pretrain",
    "train",
    "evaluate",
    "predict",
    "check",
    "robustness",
    "report",
    "reproduce",
    "weights",
    "cache",
    "completion",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        What follows ``aver`` on the command line; default: the arguments of this process.

    Returns
    -------
    int
        0: done. 1: done, and something was found that should stop a pipeline. 2: an error, whose
        reason is on standard error. 130: interrupted by the user.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    _print_any_text()
    debug = "--debug" in given  # anywhere, also behind the command
    if debug:
        logging.basicConfig(level=logging.WARNING)
        logging.getLogger("aver").setLevel(logging.DEBUG)  # errors inside one clip's work
    parser = build_parser()
    try:
        parsed, unknown = parser.parse_known_args([word for word in given if word != "--debug"])
        if unknown:
            raise _misuse(f"unrecognized arguments: {' '.join(unknown)}", parsed.prog)
        if parsed.command is None:
            parser.print_help()
            return 2
        parsed.words = given
        status = parsed.run_command(parsed)
        sys.stdout.flush()  # a full disk shows here, not after the last line of Python
        return status
    except AverError as error:
        if debug:
            raise
        print(f"aver: {printable(' '.join(str(error).split()))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if debug:
            raise
        print("aver: interrupted; finished work is kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of the output has gone (`aver list | head`), which is not an error.
        sys.stderr.close()
        return 0
    except OSError as error:
        if debug:
            raise
        where = printable(str(error.filename or "the output"))
        print(f"aver: {where} failed: {error.strerror}.", file=sys.stderr)
        _discard_output()
        return 2


def _print_any_text() -> None:
    """Print characters that the terminal's encoding lacks as escapes, instead of failing."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _discard_output() -> None:
    """Drop what standard output could not take, which Python would try to write at its end."""
    try:
        sys.stdout.flush()
    except OSError:
        with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device, not a file
            os.dup2(nowhere.fileno(), sys.stdout.fileno())


def commands() -> tuple[Command, ...]:
    """All commands, in the order of the help."""
    return tuple(import_module(f"aver.cli.{name}").COMMAND for name in _COMMANDS)


def build_parser() -> argparse.ArgumentParser:
    """The parser of the whole command line."""
    parser = _Parser(
        prog="aver",
        description="Audio-video emotion recognition with evidence that anyone can check.",
        epilog="Start here:\n"
        "  aver predict VIDEO                what a clip expresses\n"
        "  aver demo                         a whole evaluation on synthetic clips\n"
        "  aver corpus check --corpus DIR    whether aver can read your corpus\n\n"
        "Run 'aver COMMAND --help' for the options of a command.",
    )
    parser.add_argument("--version", action="version", version=f"aver {__version__}")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    parser.set_defaults(prog=parser.prog)
    _add_commands(parser, commands(), required=False)
    return parser


def _add_commands(
    parser: argparse.ArgumentParser, commands: Sequence[Command], *, required: bool
) -> None:
    choices = parser.add_subparsers(
        title="commands", metavar="COMMAND", dest="command", required=required
    )
    for command in commands:
        for name in (command.name, *command.aliases):
            # Without the keyword `help` a name is accepted but not listed.
            shown: dict[str, Any] = {"help": command.summary} if name == command.name else {}
            child = choices.add_parser(
                name,
                description=command.summary,
                epilog=f"Example:\n  {command.example}",
                **shown,
            )
            child.set_defaults(run_command=command.run, prog=child.prog)
            for title in HELP_GROUPS:  # in this order, whatever is declared first
                help_group(child, title)
            command.add_arguments(child)
            if command.subcommands:
                _add_commands(child, command.subcommands, required=True)


class _HelpFormatter(argparse.RawDescriptionHelpFormatter):
    """Adds defaults to the help, but no empty ones."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=32)
        self._action_max_length = 16  # the summaries of all commands start in one column

    def _format_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None) -> str:
        """The program, what must be given, and that there are options."""
        if usage is not None or prefix == "":  # an empty prefix asks for the name of a command
            return super()._format_usage(usage, actions, groups, prefix)
        needed = [one for one in actions if one.required or not one.option_strings]
        text = super()._format_usage(None, needed, [], prefix)
        return text.replace(self._prog, f"{self._prog} [options]", 1)

    def _get_help_string(self, action: argparse.Action) -> str:
        text, default = action.help or "", action.default
        is_shown = action.option_strings and default not in ("", argparse.SUPPRESS)
        if (
            is_shown
            and isinstance(default, str | int | Path)
            and default is not False
            and "default" not in text
        ):
            text += " (default: %(default)s)"
        return text


class _Parser(argparse.ArgumentParser):
    """Raises errors in the arguments as `SettingsError`, which `main` prints as one line."""

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=_HelpFormatter, allow_abbrev=False, **options)

    def error(self, message: str) -> NoReturn:
        raise _misuse(message, self.prog)


def _misuse(message: str, command: str) -> SettingsError:
    return SettingsError(f"{message.rstrip('.')}. See '{command} --help'.")


if __name__ == "__main__":
    sys.exit(main())
