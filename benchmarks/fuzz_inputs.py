"""The damaged inputs of `fuzz.py`, and the commands of aver that read them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from fuzz_material import train_words
from mutations import damaged_json, damaged_media, damaged_safetensors, damaged_text

GOOD = "good.mp4"
"""Name of the intact clip that every batch predicts."""

TAKES_FILES = ("media", "check")
"""Kinds of which one command reads all inputs of a batch; the others have a command each."""

_CHECKPOINT = Path("folds/seed-0/fold-00/checkpoint")
_FILES_OF_A_CHECKPOINT = ("recognizer.json", "weights.safetensors", "card.json")
_FILES_OF_A_RUN = (
    *("settings.yaml", "evaluation.json", "predictions.csv", "split.json", "environment.json"),
    *("folds/seed-0/fold-00/fold.json", "folds/seed-0/fold-00/started.json", "audit.json"),
    *("folds/seed-0/fold-00/predictions.safetensors", f"{_CHECKPOINT}/card.json"),
)
_PRESETS = Path(__file__).parents[1] / "src" / "aver" / "models"


@dataclass(frozen=True)
class Input:
    """One damaged input.

    Parameters
    ----------
    damage : str
        What was done to it.
    words : tuple of str
        The command that reads it; of `TAKES_FILES` the path of the file alone.
    """

    damage: str
    words: tuple[str, ...]


class Maker:
    """Makes damaged inputs from intact files.

    Parameters
    ----------
    material : Path
        What `fuzz_material.make_material` wrote.
    folder : Path
        Gets the damaged files and a copy of the good clip.
    """

    def __init__(self, material: Path, folder: Path) -> None:
        self.material, self.folder = material, folder
        self.cache = folder / "cache"
        self.good = folder / GOOD
        if not self.good.exists():
            shutil.copy(material / GOOD, self.good)
        self._clips = sorted((material / "clips").iterdir())

    def make(self, kind: str, name: str, random: np.random.Generator) -> Input:
        """Write one damaged input.

        Parameters
        ----------
        kind : str
            One of `KINDS`.
        name : str
            Of the file or folder; distinct for each input in the folder.
        random : np.random.Generator
        """
        return KINDS[kind].make(self, name, random)

    def commands(self, kind: str, inputs: Sequence[Input]) -> list[list[str]]:
        """The commands of a batch; the last one predicts the good clip, perhaps among others."""
        files = [word for one in inputs for word in one.words]
        if kind == "media":
            return [self.predict(*files, str(self.good))]
        if kind == "check":
            commands = [["check", *files, "--cache", str(self.cache)]]
        else:
            commands = [list(one.words) for one in inputs]
        return [*commands, self.predict_good(kind)]

    def predict_good(self, kind: str) -> list[str]:
        """Predict the good clip: `media` by the weights that ship with aver, others by the run."""
        return self.predict(str(self.good), run=None if kind == "media" else self.material / "run")

    def predict(self, *files: str, run: Path | None = None) -> list[str]:
        """Predict files, by the shipped weights or by a run."""
        words = ["predict", *files, "--format", "jsonl", "--workers", "1"]
        words += ["--cache", str(self.cache)]
        return words if run is None else [*words, "--checkpoint", str(run)]

    def _media(self, name: str, random: np.random.Generator) -> Input:
        clip, other = (self._clips[i] for i in random.choice(len(self._clips), 2, replace=False))
        damage, content = damaged_media(clip.read_bytes(), other.read_bytes(), random)
        path = self.folder / f"{name}{clip.suffix}"
        path.write_bytes(content)
        return Input(damage, (str(path),))

    def _table(self, name: str, random: np.random.Generator) -> Input:
        return self._corpus(name, "table", "aver-corpus.csv", random)

    def _pattern(self, name: str, random: np.random.Generator) -> Input:
        return self._corpus(name, "pattern", "aver-corpus.yaml", random)

    def _corpus(self, name: str, source: str, table: str, random: np.random.Generator) -> Input:
        corpus = self._copied(source, name)
        damage = _damage(corpus / table, random)
        return Input(damage, ("corpus", "check", "--corpus", str(corpus)))

    def _split(self, name: str, random: np.random.Generator) -> Input:
        path = self.folder / f"{name}.json"
        shutil.copy(self.material / "split.json", path)
        damage = _damage(path, random)
        corpus = ("--corpus", str(self.material / "corpus"))
        if random.random() < 0.5:
            return Input(damage, ("split", "check", str(path), *corpus))
        return Input(damage, ("audit", str(path), *corpus, "--names-only"))

    def _preset(self, name: str, random: np.random.Generator) -> Input:
        sources = sorted(_PRESETS.rglob("*-compact.yaml"))
        path = self.folder / f"{name}.yaml"
        shutil.copy(sources[random.integers(len(sources))], path)
        damage = _damage(path, random)
        corpus = ("--corpus", str(self.material / "pattern"), "--workers", "1")
        return Input(damage, ("features", "--preset", str(path), *corpus))

    def _checkpoint(self, name: str, random: np.random.Generator) -> Input:
        checkpoint = self._copied(f"run/{_CHECKPOINT}", name)
        part = _FILES_OF_A_CHECKPOINT[random.integers(len(_FILES_OF_A_CHECKPOINT))]
        damage = _damage(checkpoint / part, random)
        return Input(damage, tuple(self.predict(str(self.good), run=checkpoint)))

    def _action_units(self, name: str, random: np.random.Generator) -> Input:
        units = self.folder / name
        units.mkdir()
        table = units / Path(GOOD).with_suffix(".csv")
        shutil.copy(min((self.material / "corpus" / "units").rglob("*.csv")), table)
        damage = _damage(table, random)
        words = self.predict_good("action-units")
        return Input(damage, (*words, "--action-units", str(units)))

    def _run(self, name: str, random: np.random.Generator) -> Input:
        run = shutil.copytree(self.material / "run", self.folder / name)
        damage = _damage(run / _FILES_OF_A_RUN[random.integers(len(_FILES_OF_A_RUN))], random)
        commands = (
            ("audit", str(run)),
            ("predict", str(self.good), "--checkpoint", str(run), "--cache", str(self.cache)),
            ("report", str(run), "--no-media", "--out", str(self.folder / "report")),
            train_words(self.material, run),
        )
        return Input(damage, commands[random.integers(len(commands))])

    def _copied(self, source: str, name: str) -> Path:
        """A folder of the material, as links to its files."""
        return shutil.copytree(self.material / source, self.folder / name, copy_function=os.link)


@dataclass(frozen=True)
class Kind:
    """How a kind of input is made, and its share among all inputs."""

    make: Callable[[Maker, str, np.random.Generator], Input]
    share: float


KINDS = {
    "media": Kind(Maker._media, 0.48),
    "check": Kind(Maker._media, 0.06),
    "table": Kind(Maker._table, 0.08),
    "pattern": Kind(Maker._pattern, 0.08),
    "split": Kind(Maker._split, 0.07),
    "preset": Kind(Maker._preset, 0.06),
    "checkpoint": Kind(Maker._checkpoint, 0.09),
    "action-units": Kind(Maker._action_units, 0.04),
    "run": Kind(Maker._run, 0.04),
}
"""Name to kind. `check` reads the same files as `media`, by ``aver check``."""


def _damage(path: Path, random: np.random.Generator) -> str:
    """Replace a file by a damaged one, and say how. It may be a link, which is not followed."""
    damaged = {".json": damaged_json, ".safetensors": damaged_safetensors}
    damage, content = damaged.get(path.suffix, damaged_text)(path.read_bytes(), random)
    path.unlink()
    path.write_bytes(content)
    return damage
