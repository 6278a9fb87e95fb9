"""Settings of the synthetic corpus, and the random generators derived from its seed."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal

import numpy as np

from aver.emotions import EMOTIONS
from aver.errors import SettingsError
from aver.settings import Field, settings


def generator_for(seed: int, *names: str) -> np.random.Generator:
    """Random generator of a speaker, a clip or part of it, derived from the corpus seed.

    A generator depends on its names only, not on the order of work.

    Examples
    --------
    >>> a, b = generator_for(0, "clip", "s01"), generator_for(0, "clip", "s01")
    >>> a.integers(1000) == b.integers(1000)
    np.True_
    """
    digest = hashlib.sha256("/".join((str(seed), *names)).encode()).digest()
    return np.random.default_rng(np.frombuffer(digest, dtype=np.uint32))


@settings
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
        the background noise of audio and video, and the measurement error of the action units.
        With 0 only speakers differ.
    seed : int >= 0
        The same seed and settings give the same corpus.
    size_px : int, even, 96 to 1024
        Width and height of the frames.
    fps : float > 0, at most 120
        Frames per second.
    duration_s : (float, float)
        Shortest and longest clip, 0.5 s to 600 s; lengths between are equally likely.
    cue : {"whole", "moment"}
        Whether the emotion shows throughout a clip, or in face and voice during one random
        moment only; the rest is neutral.
    moment_s : float
        Length of that moment; at least 0.2 s, at most the shortest clip.
    audio_rate_hz : int
        Sampling rate of the audio, one of 16000, 22050, 24000, 32000, 44100, 48000.

    Raises
    ------
    SettingsError
        If a setting is out of range.

    Examples
    --------
    >>> SynthesisSettings(speakers=2, takes=3).clips
    72
    """

    speakers: Annotated[int, Field(ge=1)] = 24
    emotions: Annotated[tuple[str, ...], Field(min_length=1)] = (
        "neutral",
        "happy",
        "sad",
        "angry",
        "fearful",
        "disgust",
    )
    sentences: Annotated[int, Field(ge=1)] = 2
    takes: Annotated[int, Field(ge=1)] = 1
    noise: Annotated[float, Field(ge=0, allow_inf_nan=False)] = 1.0
    seed: Annotated[int, Field(ge=0)] = 0
    size_px: Annotated[int, Field(ge=96, le=1024, multiple_of=2)] = 160
    fps: Annotated[float, Field(gt=0, le=120)] = 25.0
    duration_s: tuple[float, float] = (1.8, 2.2)
    cue: Literal["whole", "moment"] = "whole"
    moment_s: Annotated[float, Field(ge=0.2)] = 0.5
    audio_rate_hz: Literal[16000, 22050, 24000, 32000, 44100, 48000] = 16000

    def __post_init__(self) -> None:
        if not set(self.emotions) <= set(EMOTIONS) or len(set(self.emotions)) < len(self.emotions):
            raise SettingsError(
                f"emotions must be some of {', '.join(EMOTIONS)}, each once, not {self.emotions}."
            )
        shortest_s, longest_s = self.duration_s
        if not 0.5 <= shortest_s <= longest_s <= 600:
            raise SettingsError(
                f"duration_s must be two lengths in order, from 0.5 s to 600 s, not "
                f"{self.duration_s}."
            )
        if self.moment_s > shortest_s:
            raise SettingsError(
                f"moment_s must be at most the shortest clip ({shortest_s:g} s), not "
                f"{self.moment_s!r}."
            )

    @property
    def clips(self) -> int:
        """Number of clips in the corpus."""
        return self.speakers * len(self.emotions) * self.sentences * self.takes
