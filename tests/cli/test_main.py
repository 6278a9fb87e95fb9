"""The command line as a whole: fast, one line per error, exit statuses."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from pathlib import Path

import pytest

from aver.cli.main import build_parser, main

AVER = [sys.executable, "-m", "aver.cli.main"]


def test_help_predictions_in_under_half_a_second() -> None:
    def seconds() -> float:
        started = time.perf_counter()
        subprocess.run([*AVER, "--help"], check=True, capture_output=True)
        return time.perf_counter() - started

    bare = []
    for _ in range(5):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import jsonargparse"], check=True)
        bare.append(time.perf_counter() - started)
    measured = statistics.median(seconds() for _ in range(5))
    # A busy machine slows both alike; on a quiet one the parser's import takes about 0.15 s.
    assert measured < max(0.5, 3 * statistics.median(bare))


def test_help_imports_nothing_heavy() -> None:
    program = (
        "import sys; from aver.cli.main import build_parser; build_parser(); "
        "print([m for m in ('torch', 'numpy', 'librosa', 'lightning', 'numba', 'cv2', 'av', "
        "'matplotlib', 'sklearn', 'yaml') if m in sys.modules and m != 'yaml'])"
    )
    prediction = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert prediction.stdout.strip() == "[]"


def test_every_command_has_help_with_an_example() -> None:
    _, commands = build_parser()
    for command in commands.values():
        for one in (command, *command.verbs):
            assert one.summary.endswith(".")
            assert one.example.startswith("aver ")


def test_examples_parse() -> None:
    parser, commands = build_parser()
    for command in commands.values():
        for one in (command, *command.verbs):
            parser.parse_args(one.example.split()[1:])


def test_an_option_given_twice_adds_up() -> None:
    parser, _ = build_parser()
    words = ["train", "--corpus", "x", "--set", "a=1", "b=2", "--set", "c=3"]
    assert parser.parse_args(words).train.set == ["a=1", "b=2", "c=3"]
    assert parser.parse_args(["train", "--corpus", "x"]).train.set == []


def test_no_command_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "predict" in capsys.readouterr().out


def test_unknown_command_exits_with_2() -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["guess"])
    assert stopped.value.code == 2


def test_error_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert main(["corpus", "check", "--corpus", str(missing)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert str(missing) in captured.err
    assert "Traceback" not in captured.err


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = ["corpus", "check", "--corpus", str(tmp_path / "nowhere"), "--debug"]
    prediction = subprocess.run([*AVER, *words], capture_output=True, text=True)
    assert prediction.returncode != 0
    assert "Traceback" in prediction.stderr


@pytest.mark.parametrize("kind", ["all", "corpora", "splits", "features", "models", "presets"])
def test_list_names_everything_with_a_source(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert lines
    assert all(line.endswith("]") and "[]" not in line for line in lines)


def test_list_of_an_unknown_kind(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "planets"]) == 2
    assert "planets" in capsys.readouterr().err
