"""The `aver` command: find the verb, run it, turn errors into one line."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from jsonargparse import ArgumentParser, Namespace

from aver import __version__
from aver.cli.arguments import Command
from aver.errors import AverError

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
    "robustness",
    "report",
    "reproduce",
    "cache",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments : sequence of str, optional
        Words after ``aver``; default those of this process.

    Returns
    -------
    int
        0 done; 1 done, and something was found that should stop a pipeline; 2 not done, the reason
        is on standard error; 130 stopped by the user.
    """
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [word for word in words if word != "--debug"]
    parser, commands = build_parser()
    try:
        parsed = parser.parse_args(words)
        run, chosen = _chosen(parsed, commands)
        if run is None:
            parser.print_help()
            return 2
        return run(chosen)
    except AverError as error:
        if debug:
            raise
        print(f"aver: {_one_line(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        if debug:
            raise
        print("aver: stopped; what was finished is kept.", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone (`aver list | head`): nothing is wrong.
        sys.stderr.close()
        return 0


def build_parser() -> tuple[ArgumentParser, dict[str, Command]]:
    """The parser of the whole command line, and the commands by name."""
    parser = ArgumentParser(
        prog="aver",
        description="Audio-video emotion recognition with evidence that anyone can check.",
        version=__version__,
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = {}
    for module_name in _COMMANDS:
        command: Command = import_module(f"aver.cli.{module_name}").COMMAND
        commands[command.name] = command
    _add_commands(parser, tuple(commands.values()), "command", required=False)
    return parser, commands


def _add_commands(
    parser: ArgumentParser, commands: Sequence[Command], dest: str, *, required: bool
) -> None:
    choices = parser.add_subcommands(required=required, dest=dest)
    for command in commands:
        verb = ArgumentParser(description=command.summary, epilog=f"Example:  {command.example}")
        choices.add_subcommand(command.name, verb, help=command.summary)
        command.add_arguments(verb)
        if command.verbs:
            _add_commands(verb, command.verbs, "verb", required=True)


def _chosen(
    parsed: Namespace, commands: dict[str, Command]
) -> tuple[Callable[[Namespace], int] | None, Namespace]:
    """The function to run and its own arguments; None where no command was typed."""
    if parsed.command is None:
        return None, parsed
    command, arguments = commands[parsed.command], parsed[parsed.command]
    for verb in command.verbs:
        if verb.name == arguments.verb:
            return verb.run, arguments[verb.name]
    return command.run, arguments


def _one_line(error: AverError) -> str:
    return " ".join(str(error).split())


if __name__ == "__main__":
    sys.exit(main())
