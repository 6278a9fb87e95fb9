"""One clip of the synthetic corpus, from its plan to the contents of its files."""

from __future__ import annotations

import numpy as np

from aver.synthesis.clip_plan import ClipPlan
from aver.synthesis.mp4 import encode_mp4
from aver.synthesis.performance import plan_performance
from aver.synthesis.picture import film
from aver.synthesis.randomness import generator_for
from aver.synthesis.sentence import draw_sentence
from aver.synthesis.session import draw_session
from aver.synthesis.settings import SynthesisSettings
from aver.synthesis.speaker import draw_speaker
from aver.synthesis.unit_track import unit_track_csv
from aver.synthesis.voice import speak


def render_clip(plan: ClipPlan, settings: SynthesisSettings) -> tuple[bytes, str]:
    """Perform, film and record one clip.

    Parameters
    ----------
    plan : ClipPlan
    settings : SynthesisSettings

    Returns
    -------
    bytes, str
        The MP4 file and the table of action units; they depend on seed, settings and clip id only.
    """

    def chance(part: str) -> np.random.Generator:
        return generator_for(settings.seed, "clip", plan.clip_id, part)

    speaker = draw_speaker(settings.seed, plan.number)
    performance = plan_performance(
        speaker,
        plan.emotion,
        plan.intensity,
        draw_sentence(settings.seed, plan.sentence),
        settings,
        chance("performance"),
    )
    session = draw_session(settings.seed, plan.speaker, plan.emotion, settings.noise)
    noise = settings.noise
    sound = speak(
        speaker.voice, performance, session, settings.sound_rate_hz, noise, chance("voice")
    )
    pictures = film(speaker.face, performance, session, settings.size_px, noise, chance("picture"))
    units = unit_track_csv(performance.units, settings.fps, settings.noise, chance("units"))
    return encode_mp4(pictures, settings.fps, sound, settings.sound_rate_hz), units
