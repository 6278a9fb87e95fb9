"""The command line as a whole: fast, help with examples, one line per error, exit statuses."""

from __future__ import annotations

import argparse
import re
import resource
import shlex
import statistics
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from aver.cli import reproduce, robustness
from aver.cli.arguments import Command, overrides_of
from aver.cli.main import build_parser, commands, main
from aver.models.base.presets import load_preset

AVER = [sys.executable, "-m", "aver.cli.main"]


def all_commands() -> Iterator[tuple[str, Command]]:
    """Every command and subcommand, with what is typed before its arguments."""
    for command in commands():
        yield command.name, command
        for child in command.subcommands:
            yield f"{command.name} {child.name}", child


NAMED = dict(all_commands())


def parse(line: str) -> argparse.Namespace:
    return build_parser().parse_args(shlex.split(line))


def test_help_takes_less_than_half_a_second() -> None:
    """Of processor time, which other work on the machine hardly changes."""

    def processor_s() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    durations = []
    for _ in range(5):
        before = processor_s()
        subprocess.run([*AVER, "--help"], check=True, capture_output=True)
        durations.append(processor_s() - before)
    assert statistics.median(durations) < 0.5


def test_help_imports_nothing_heavy() -> None:
    heavy = ("torch", "numpy", "pandas", "lightning", "numba", "cv2", "av", "matplotlib", "sklearn")
    program = (
        "import sys; from aver.cli.main import build_parser; build_parser(); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert result.stdout.strip() == "[]"


@pytest.mark.parametrize("name", NAMED)
def test_help_shows_an_example_and_neither_types_nor_empty_defaults(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        main([*name.split(), "--help"])
    assert stopped.value.code == 0
    text = " ".join(capsys.readouterr().out.split())
    assert NAMED[name].example in text
    assert NAMED[name].summary.endswith(".")
    assert NAMED[name].summary in text
    for unwanted in ("<class", "default: None", "default: )", "default: []", "SUPPRESS", "--units"):
        assert unwanted not in text


@pytest.mark.parametrize("name", NAMED)
def test_examples_can_be_parsed(name: str) -> None:
    example = NAMED[name].example
    assert example.startswith("aver ")
    assert callable(parse(example.removeprefix("aver ")).run_command)


def test_every_option_has_a_help_text() -> None:
    def check(parser: argparse.ArgumentParser) -> None:
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                for child in action.choices.values():
                    check(child)
            else:
                assert action.help, (parser.prog, action.dest)

    check(build_parser())


def test_defaults_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["evaluate", "--help"])
    text = " ".join(capsys.readouterr().out.split())
    for shown in ("(default: mrpn-compact)", "(default: 1)", "(default: runs/evaluate)"):
        assert shown in text


def test_an_option_that_is_given_twice_adds_up() -> None:
    assert parse("train --corpus x --set a=1 b=2 --set c=3").set == ["a=1", "b=2", "c=3"]
    assert parse("train --corpus x").set == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("corpus synthesise x", "corpus synthesize x"),  # codespell:ignore
        ("pretrain visual --corpus x", "pretrain video --corpus x"),
        ("pretrain voice --corpus x", "pretrain audio --corpus x"),
        ("train --corpus x --units u.csv", "train --corpus x --action-units u.csv"),
        ("predict x --units u.csv", "predict x --action-units u.csv"),
        (
            "reproduce mrpn --corpus x --video units",
            "reproduce mrpn --corpus x --video action_units",
        ),
        (
            "pretrain unpaired --faces f --voices v --pictures-per-voice 2",
            "pretrain unpaired --faces f --voices v --images-per-voice 2",
        ),
    ],
)
def test_names_of_version_0_1_are_accepted(old: str, new: str) -> None:
    first, second = vars(parse(old)), vars(parse(new))
    for parsed in (first, second):
        parsed.pop("command")
        parsed.pop("prog")
    assert first == second


def test_settings_of_version_0_1_are_accepted() -> None:
    old, new = (
        load_preset(
            "mrpn-statistics", overrides_of(parse(f"train --corpus x {line}"), "mrpn-statistics")
        )[1]
        for line in (
            "--modalities sound,units --set branches.sound.standardise=clip",  # codespell:ignore
            "--modalities audio,action_units --set branches.audio.standardize=clip",
        )
    )
    assert old == new
    assert old.modalities == ("audio", "action_units")


def test_settings_of_version_0_1_reach_every_table_of_a_paper() -> None:
    line = "reproduce snn-cross-modal --corpus x --set sound.features=9 readout.kind=vote"
    settings = reproduce.reproduction_settings(parse(line), "x", speakers=4)
    assert settings.overrides == {"audio.features": 9, "read_out.kind": "vote"}


def test_a_lost_modality_may_have_its_name_of_version_0_1() -> None:
    old, new = (
        robustness.plan_of(parse(f"robustness run --levels lost-modality={name}"))
        for name in ("sound,units", "audio,action_units")
    )
    assert old == new


def test_init_takes_modalities_and_the_old_name_of_video() -> None:
    new, old = (
        overrides_of(parse(f"train --corpus x --init {name}=faces-fer2013"), "mrpn-compact")
        for name in ("video", "visual")
    )
    assert new == old
    assert any("faces-fer2013" in str(value) for value in new.values())


def test_no_command_prints_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    assert "predict" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("guess", "'guess'"),
        ("corpus", "COMMAND"),
        ("train", "--corpus"),
        ("train --corpus x --fold first", "'first'"),
        ("train --corpus x --seed-of-luck 3", "--seed-of-luck 3. See 'aver train --help'"),
        ("corpus check --corpus x --luck", "--luck. See 'aver corpus check --help'"),
        ("--luck", "--luck. See 'aver --help'"),
        ("list planets", "planets"),
    ],
)
def test_a_mistyped_command_line_is_one_line_and_exit_status_2(
    line: str, reason: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(line.split()) == 2
    captured = capsys.readouterr()
    assert reason in captured.err
    assert re.fullmatch(r"aver: [^\n]+ See 'aver[a-z ]* --help'\.\n", captured.err)
    assert not captured.out


def test_an_error_is_one_line(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = tmp_path / "nowhere"
    assert main(["corpus", "check", "--corpus", str(missing)]) == 2
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1
    assert str(missing) in captured.err
    assert "Traceback" not in captured.err


def test_corpus_commands_print_further_labels_and_what_is_left_out(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    for name in ("Train/Sad/Film_000519240_00000001.png", "Test/Film_000519240_00000002.png"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(name.encode())

    assert main(["corpus", "info", "emodb"]) == 0
    assert "besides the eight: boredom" in capsys.readouterr().out
    assert main(["corpus", "check", "--corpus", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert "left out: 1 clips: the labels of the test subset were not published" in out
    assert "No file is missing, repeated or unusable." in out


def test_debug_shows_the_traceback(tmp_path: Path) -> None:
    words = ["corpus", "check", "--corpus", str(tmp_path / "nowhere"), "--debug"]
    result = subprocess.run([*AVER, *words], capture_output=True, text=True)
    assert result.returncode != 0
    assert "Traceback" in result.stderr


@pytest.mark.parametrize("kind", ["all", "corpora", "splits", "features", "models", "presets"])
def test_list_names_everything_with_a_source(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", kind]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("  ")]
    assert lines
    assert all(line.endswith("]") and "[]" not in line for line in lines)


def test_a_module_that_runs() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "aver", "--version"], check=True, capture_output=True, text=True
    )
    assert re.fullmatch(r"aver \d+\.\d+\S*\n", result.stdout)


def test_options_are_grouped_in_one_order(capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("evaluate", "train"):
        with pytest.raises(SystemExit):
            main([name, "--help"])
        text = capsys.readouterr().out
        headings = [line[:-1] for line in text.splitlines() if re.fullmatch(r"\w+:", line)]
        assert headings == ["options", "corpus", "system", "split", "run", "output"] + ["Example"]
        usage, _, _ = text.partition("\n\n")
        assert usage == f"usage: aver {name} [options]"


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_completion_knows_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert {name for name in NAMED if name.split()[0] not in script} == set()
    assert "--modalities" in script
    if shell == "bash":
        subprocess.run(["bash", "-n"], input=script, check=True, text=True)


def test_bash_completes_options_and_folders(tmp_path: Path) -> None:
    (tmp_path / "ravdess").mkdir()
    (tmp_path / "ravdess.txt").touch()
    script = subprocess.run([*AVER, "completion", "bash"], check=True, capture_output=True).stdout
    (tmp_path / "complete").write_bytes(script)

    def completed(line: str) -> set[str]:
        words = shlex.split(line)
        program = (
            f"source {tmp_path}/complete; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; "
            f"_shtab_aver aver {words[-1]} {words[-2]}; printf '%s\\n' \"${{COMPREPLY[@]}}\""
        )
        run = subprocess.run(
            ["bash", "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
        )
        return {word.strip() for word in run.stdout.splitlines()}

    assert {"--modalities", "--merge"} <= completed("aver evaluate --m")
    assert completed("aver evaluate --corpus rav") == {"ravdess"}


def test_the_card_of_weights(capsys: pytest.CaptureFixture[str]) -> None:
    import yaml

    from aver.networks.shipped import shipped_weights

    one = shipped_weights()[0]
    assert main(["weights", "show", one.name]) == 0
    title, _, rest = capsys.readouterr().out.partition("\n")
    assert title == f"{one.name}: {one.summary}"
    assert yaml.safe_load(rest.partition("\n\n")[2]) == one.card
    assert main(["weights", "show", "no-such-weights"]) == 2
    assert one.name in capsys.readouterr().err


def test_the_list_of_everything_says_where_to_start(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    text = " ".join(capsys.readouterr().out.split())
    assert text.startswith("Start with 'aver demo'")
    assert "aver corpus check" in text
