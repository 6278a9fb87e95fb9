"""`aver predict`: class probabilities of video and audio files, fused and per modality."""

from __future__ import annotations

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from aver.cli.arguments import (
    Command,
    add_action_units_argument,
    add_stream_arguments,
    add_strict_argument,
    add_work_arguments,
    feature_store,
    help_group,
    print_path,
)

if TYPE_CHECKING:
    from aver.corpora.corpus import Problem

_MAX_SHOWN = 3  # files with the same problem


def _add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        type=Path,
        nargs="+",
        metavar="FILE|DIR",
        help="video files, audio files, or folders",
    )
    help_group(parser, "system").add_argument(
        "--checkpoint",
        metavar="RUN",
        help="run folder of 'aver train', or a name of 'aver list weights' "
        "(default: the weights that come with aver)",
    )
    help_group(parser, "system").add_argument(
        "--speaker-clips",
        type=Path,
        metavar="DIR",
        help="other clips of the speaker, without labels, to adapt to; all files must then show "
        "this one speaker",
    )
    help_group(parser, "system").add_argument(
        "--speaker-by",
        default="",
        metavar="RULE",
        help="how to read the speaker of each file; each speaker is adapted on his or her own "
        "files: 'folder', a pattern such as '{speaker}_{take}.mp4', or a table and its column, "
        "'clips.csv:speaker'; files of a speaker with fewer than 8 usable clips are listed and "
        "not predicted",
    )
    add_action_units_argument(parser, ", with the file names as keys")
    add_stream_arguments(parser)
    output = help_group(parser, "output")
    output.add_argument(
        "--format",
        default="",
        choices=("table", "csv", "tsv", "jsonl"),
        help="what to print (default: table)",
    )
    output.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="file to write instead of printing; its suffix is the format: .csv, .tsv, .jsonl, "
        ".parquet, .xlsx or .txt",
    )
    add_strict_argument(parser)
    add_work_arguments(parser)


def _run(arguments: Namespace) -> int:
    from aver import api
    from aver.errors import MediaError
    from aver.reports.predictions import (
        TEXT_FORMATS,
        describe_source,
        format_of,
        write_predictions,
    )

    if arguments.out is not None:
        format_of(arguments.out, arguments.format)  # refuses before any work
    predictions = api.predict(
        arguments.paths,
        arguments.checkpoint,
        action_units=arguments.action_units,
        speaker_clips=arguments.speaker_clips,
        speaker_by=arguments.speaker_by,
        video_stream=arguments.video_stream,
        audio_stream=arguments.audio_stream,
        store=feature_store(arguments),
        workers=arguments.workers,
    )
    if any(predictions.clips):
        if arguments.out is None:
            sys.stdout.write(TEXT_FORMATS[arguments.format or "table"](predictions))
        else:
            write_predictions(predictions, arguments.out, arguments.format)
            print_path(arguments.out)
        source = describe_source(predictions, arguments.checkpoint)
        print(f"aver: predicted by {source}.", file=sys.stderr)
    for note in predictions.notes:
        print(f"aver: {note}", file=sys.stderr)
    _print_problems("not predicted", predictions.problems)
    _print_problems("not adapted to", predictions.unused)
    if not any(predictions.clips):
        raise MediaError(f"None of the {len(predictions)} files can be used.")
    unreadable = len(predictions.problems) + len(predictions.unused)
    if arguments.strict and unreadable:
        raise MediaError(f"{unreadable} files cannot be used (--strict).")
    return 0


def _print_problems(what: str, problems: Sequence[Problem]) -> None:
    """One line per reason, with the files that it concerns."""
    paths: dict[str, list[str]] = {}
    for problem in problems:
        paths.setdefault(problem.reason, []).append(problem.path)
    for reason, those in paths.items():
        more = f" and {len(those) - _MAX_SHOWN} more" if len(those) > _MAX_SHOWN else ""
        shown = ", ".join(those[:_MAX_SHOWN])
        print(f"aver: {what}: {shown}{more}: {reason}", file=sys.stderr)


COMMAND = Command(
    name="predict",
    summary="Predict the emotions in video and audio files.",
    example="aver predict my-videos/",
    add_arguments=_add_arguments,
    run=_run,
)
