"""`aver weights show`: the card of weights that come with aver."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from aver.cli.arguments import Command


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("name", metavar="NAME", help="name of the weights, see 'aver list weights'")


def _show(arguments: Namespace) -> int:
    import yaml

    from aver.errors import CheckpointError
    from aver.networks.shipped import shipped_weights

    shipped = {one.name: one for one in shipped_weights()}
    if arguments.name not in shipped:
        raise CheckpointError(
            f"No weights {arguments.name!r} come with aver. There are: {', '.join(shipped)}."
        )
    found = shipped[arguments.name]
    found.checked()
    about = yaml.safe_dump(
        found.card, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100
    )
    print(f"{found.name}: {found.summary}\n{found.size_bytes / 1e6:.1f} MB\n\n{about}", end="")
    return 0


COMMAND = Command(
    name="weights",
    summary="Show what is known about weights that come with aver.",
    example="aver weights show faces-voices",
    subcommands=(
        Command(
            "show",
            "Print the card: training data, license, quality, limits.",
            "aver weights show faces-voices",
            _add_arguments,
            _show,
        ),
    ),
)
