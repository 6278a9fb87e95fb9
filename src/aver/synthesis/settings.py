"""`SynthesisSettings`: everything that decides what the synthetic corpus holds."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

import numpy as np

from aver.emotions import EMOTIONS
from aver.errors import SettingsError


def generator_for(seed: int, *names: str) -> np.random.Generator:
    """Generator of one named thing (a speaker, a clip) under a corpus seed.

    Examples
    --------
    >>> a, b = generator_for(0, "clip", "s01"), generator_for(0, "clip", "s01")
    >>> a.integers(1000) == b.integers(1000)
    np.True_
    """
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


@dataclass(frozen=True)
class SynthesisSettings:
    """Size, difficulty and format of a synthetic corpus.

    Parameters
    ----------
    speakers : int >= 1
        Invented people, alternately female and male.
    emotions : tuple of str
        Some of `aver.emotions.EMOTIONS`, each once.
    sentences, takes : int >= 1
        Every speaker says every sentence in every emotion, `takes` times.
    noise : float >= 0
        1 is the default difficulty; it scales the scatter between performances of one emotion,
        the background noise of sound and picture, and the error of the action units. 0 leaves
        the differences between speakers only.
    seed : int >= 0
        The same seed and settings give the same corpus.
    size_px : int, even, 96 to 1024
        Width and height of the picture.
    fps : float > 0, at most 120
        Frames per second.
    duration_s : (float, float)
        Shortest and longest clip, 0.5 s to 600 s; lengths between are equally likely.
    cue : {"whole", "moment"}
        Whether emotion shows throughout a clip, or in face and voice during one random moment
        only, with a neutral performance around it.
    moment_s : float
        Length of that moment; at least 0.2 s, at most the shortest clip.
    audio_rate_hz : int
        Samples per second of the sound, one of 16000, 22050, 24000, 32000, 44100, 48000.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Examples
    --------
    >>> SynthesisSettings(speakers=2, takes=3).clips
    72
    """

    speakers: int = 24
    emotions: tuple[str, ...] = ("neutral", "happy", "sad", "angry", "fearful", "disgust")
    sentences: int = 2
    takes: int = 1
    noise: float = 1.0
    seed: int = 0
    size_px: int = 160
    fps: float = 25.0
    duration_s: tuple[float, float] = (1.8, 2.2)
    cue: Literal["whole", "moment"] = "whole"
    moment_s: float = 0.5
    audio_rate_hz: int = 16000

    def __post_init__(self) -> None:
        object.__setattr__(self, "emotions", tuple(self.emotions))
        object.__setattr__(self, "duration_s", tuple(self.duration_s))
        for name in ("speakers", "sentences", "takes"):
            _require(getattr(self, name) >= 1, name, getattr(self, name), "at least 1")
        known = set(self.emotions) <= set(EMOTIONS)
        distinct = len(set(self.emotions)) == len(self.emotions) >= 1
        _require(
            known and distinct,
            "emotions",
            self.emotions,
            f"some of {', '.join(EMOTIONS)}, each once",
        )
        _require(0 <= self.noise < float("inf"), "noise", self.noise, "0 or more")
        _require(self.seed >= 0, "seed", self.seed, "0 or more")
        even = self.size_px % 2 == 0
        _require(even and 96 <= self.size_px <= 1024, "size_px", self.size_px, "even, 96 to 1024")
        _require(0 < self.fps <= 120, "fps", self.fps, "above 0, at most 120")
        ordered = len(self.duration_s) == 2 and 0.5 <= self.duration_s[0] <= self.duration_s[1]
        _require(
            ordered and self.duration_s[1] <= 600,
            "duration_s",
            self.duration_s,
            "two lengths in order, from 0.5 s to 600 s",
        )
        _require(self.cue in ("whole", "moment"), "cue", self.cue, "'whole' or 'moment'")
        _require(
            0.2 <= self.moment_s <= self.duration_s[0],
            "moment_s",
            self.moment_s,
            "at least 0.2 s and at most the shortest clip",
        )
        rates = (16000, 22050, 24000, 32000, 44100, 48000)
        _require(
            self.audio_rate_hz in rates, "audio_rate_hz", self.audio_rate_hz, f"one of {rates}"
        )

    @property
    def clips(self) -> int:
        """Number of clips in the corpus."""
        return self.speakers * len(self.emotions) * self.sentences * self.takes


def _require(holds: bool, name: str, value: object, allowed: str) -> None:
    if not holds:
        raise SettingsError(f"The synthesis setting {name} is {value!r}; it must be {allowed}.")
