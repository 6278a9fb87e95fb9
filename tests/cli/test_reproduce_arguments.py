"""`aver reproduce`: what its arguments stand for, and what its help names."""

from __future__ import annotations

import argparse
import shlex

import pytest

from aver.cli import reproduce
from aver.cli.main import build_parser, main
from aver.errors import SettingsError
from aver.evaluation.reproduction import ReproductionSettings, reproductions
from aver.features.face_crops import FaceCrops
from aver.models.base.presets import load_preset


def parse(line: str) -> argparse.Namespace:
    return build_parser().parse_args(shlex.split(line))


def asked(line: str) -> ReproductionSettings:
    return reproduce.reproduction_settings(parse(f"reproduce {line} --corpus x"), "x", 4)


@pytest.mark.parametrize("paper", reproductions.names())
def test_a_preset_of_the_paper_is_one_word(paper: str) -> None:
    assert asked(paper).preset == f"{paper}-compact"
    assert asked(f"{paper} --preset paper").preset == f"{paper}-paper"
    assert asked(f"{paper} --preset {paper}-paper").preset == f"{paper}-paper"


def test_init_starts_every_row_of_the_papers_system_from_weights() -> None:
    settings = asked("mrpn --preset paper --init video=faces-fer2013 --set hidden=8")
    assert settings.overrides["hidden"] == 8
    table = reproductions.get("mrpn")(settings).table("1")
    for row in table.rows:
        if row.system is not None:
            chosen = load_preset(row.system.preset, row.system.overrides)[1]
            assert chosen.branches["video"].pretrained == "faces-fer2013"


def test_init_is_refused_by_networks_without_weights() -> None:
    with pytest.raises(SettingsError, match="no branch that could start from video weights"):
        asked("snn-cross-modal --init video=faces-fer2013")


def test_an_unknown_paper_is_told_before_its_preset() -> None:
    with pytest.raises(SettingsError, match="reproduction") as caught:
        asked("nonsense")
    assert "nonsense-compact" not in str(caught.value)


def test_the_help_and_the_list_name_every_table_and_figure(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        main(["reproduce", "--help"])
    shown = " ".join(capsys.readouterr().out.split()).replace("- ", "-")  # names are wrapped
    main(["list", "reproductions"])
    listed = capsys.readouterr().out.splitlines()
    for name in reproductions.names():
        kind = reproductions.get(name)
        (line,) = (one for one in listed if one.split()[:1] == [name])
        for what, numbers in (("tables", kind.tables), ("figures", kind.figures)):
            assert f"{what} {' '.join(numbers)}" in line
            section = shown.partition(f"numbers of {what}: ")[2].partition(" --")[0]
            (entry,) = (one for one in section.split(";") if name in one.split())
            named = entry.partition(name)[2].replace(", ours:", "").split()
            assert named == list(numbers)


def test_the_papers_presets_have_what_is_printed() -> None:
    """MRPN, section 4.2, prints no early stopping; crops of dlib (3.3) are one setting."""
    one = {"branches.video.feature_settings.detector": "dlib"}
    settings = load_preset("mrpn-paper", one)[1]
    assert settings.training.patience == settings.training.epochs
    assert settings.training.precision == "32"
    assert FaceCrops(**settings.branches["video"].feature_settings).detector == "dlib"
    assert load_preset("temporal-aggregation-paper")[1].images["rate_hz"] == 30
