"""`Session`: light, distance, microphone and room while one speaker acts one emotion."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from aver.synthesis.randomness import generator_for


@dataclass(frozen=True)
class Session:
    """What the clips of one speaker in one emotion share beside the acting.

    Filmed corpora are recorded like this, emotion by emotion. A random split can recognise the
    session instead of the emotion; a speaker-disjoint one cannot.

    Parameters
    ----------
    wall : np.ndarray [shape=(3,)]
        Colour behind the speaker, BGR, 0 to 255.
    light : np.ndarray [shape=(3,)]
        Gain of each colour; 1 is plain.
    distance : float
        From the camera; 1 is average.
    level_db : float
        Of the recording.
    microphone : float in (-1, 1)
        Coefficient of a first-order filter; above 0 it dampens the treble.
    """

    wall: np.ndarray
    light: np.ndarray
    distance: float
    level_db: float
    microphone: float


def draw_session(seed: int, speaker: str, emotion: str, noise: float) -> Session:
    """Set up the room; at noise 0 all sessions but the colour of the wall are alike."""
    rng = generator_for(seed, "session", speaker, emotion)
    steps = np.clip(rng.standard_normal(7), -2, 2)
    return Session(
        wall=rng.uniform(110, 190) + rng.uniform(-15, 15, 3),
        light=(1 + noise * 0.09 * steps[0]) * (1 + noise * 0.03 * steps[1:4]),
        distance=1 + min(noise, 2.0) * 0.03 * steps[4],
        level_db=noise * 1.5 * steps[5],
        microphone=float(np.clip(noise * 0.12 * steps[6], -0.6, 0.6)),
    )
