"""`aver check`: what aver sees in a file, track by track."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path

from aver.cli.arguments import (
    Command,
    add_store_arguments,
    add_stream_arguments,
    feature_store,
    print_path,
)


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="FILE",
        help="video, audio or image files, or folders",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="RUN",
        help="recognizer whose flags are shown: run folder of 'aver train', or a name of 'aver "
        "list weights' (default: the weights that come with aver)",
    )
    parser.add_argument(
        "--format", default="table", choices=("table", "json"), help="output format"
    )
    add_stream_arguments(parser)
    parser.add_argument(
        "--out", type=Path, metavar="FILE", help="file to write (default: print to the terminal)"
    )
    add_store_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.execution.files import write_text
    from aver.reports.file_check import checks_as_json, checks_as_table

    store = feature_store(arguments)
    checks = api.check(
        arguments.paths,
        arguments.checkpoint,
        video_stream=arguments.video_stream,
        audio_stream=arguments.audio_stream,
        store=store,
    )
    text = (checks_as_json if arguments.format == "json" else checks_as_table)(checks)
    if arguments.out is None:
        sys.stdout.write(text)
    else:
        write_text(arguments.out, text)
        print_path(arguments.out)
    return 0 if all(check.is_usable for check in checks) else 1


COMMAND = Command(
    name="check",
    summary="Show what aver sees in a file: tracks, lengths, faces, speech, flags.",
    example="aver check interview.mp4",
    add_arguments=_add_arguments,
    run=_run,
)
