"""The voice of a clip: glottal source, vocal tract, friction, and the room's noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter, sosfilt

from aver.synthesis.articulation import TICKS_PER_S
from aver.synthesis.expression import VOICE_TRAITS
from aver.synthesis.glottis import glottal_source
from aver.synthesis.performance import Performance
from aver.synthesis.session import Session
from aver.synthesis.speaker import Voice
from aver.synthesis.vocal_tract import filter_by_blocks, resonator, tilt

_HIGHER_FORMANTS_HZ = (3500.0, 4500.0)
_BANDWIDTHS_HZ = (70.0, 100.0, 150.0, 220.0, 280.0)
_FRICTION_HZ = {"hiss": (5600.0, 1600.0), "hush": (3200.0, 1400.0)}  # centre and width
_SPEECH_RMS = 0.06  # -24 dB below full scale, room for a shout
_ROOM_RMS = 0.0012


def pitch_track_hz(voice: Voice, performance: Performance, rng: np.random.Generator) -> np.ndarray:
    """Pitch of every tick, in Hz: it falls slowly, and rises and falls with the syllables.

    Returns
    -------
    np.ndarray [shape=(ticks,)]
        Clipped to 60 to 600 Hz.
    """
    trait = dict(zip(VOICE_TRAITS, performance.traits.T, strict=True))
    ticks = len(performance.cue)
    time_s = np.arange(ticks) / TICKS_PER_S
    melody = gaussian_filter1d(rng.standard_normal(ticks), TICKS_PER_S * 0.09)
    melody += 0.25 * gaussian_filter1d(performance.articulation.aperture - 0.5, 4)
    melody = (melody - melody.mean()) / max(melody.std(), 1e-9)
    span = voice.pitch_range_semitones * 2 ** trait["range_log2"]
    slope = (trait["slope_semitones_per_s"] - 1.0) * (time_s - time_s.mean())
    semitones = trait["pitch_semitones"] + span * melody * 0.7 + slope
    return np.clip(voice.pitch_hz * 2 ** (semitones / 12), 60, 600)


def speak(
    voice: Voice,
    performance: Performance,
    session: Session,
    rate_hz: int,
    noise: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Sound of a whole clip.

    Parameters
    ----------
    voice : Voice
    performance : Performance
    session : Session
    rate_hz : int
        Samples per second, at least 16000.
    noise : float >= 0
        Background noise; 1 is about 34 dB below speech.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(samples,), dtype=float32]
        Within -1 to 1; as long as the picture.
    """
    samples = round(performance.duration_s * rate_hz)
    ticks = np.arange(samples) * (TICKS_PER_S / rate_hz)

    def fine(track: np.ndarray) -> np.ndarray:
        return np.interp(ticks, np.arange(len(track)), track)

    trait = dict(zip(VOICE_TRAITS, performance.traits.T, strict=True))
    said = performance.articulation
    jitter = np.clip(voice.jitter_percent + trait["jitter_percent"], 0, 4) / 100
    breath = np.clip(voice.breath + trait["breath"], 0, 0.6)
    source = glottal_source(
        fine(pitch_track_hz(voice, performance, rng)),
        rate_hz,
        jitter=fine(jitter),
        breath=fine(breath),
        rng=rng,
    )
    voiced = filter_by_blocks(
        source * fine(said.voicing), _sections(voice, performance, rate_hz), rate_hz // TICKS_PER_S
    )
    voiced *= _SPEECH_RMS / max(
        float(np.sqrt(np.mean(voiced[fine(said.voicing) > 0.3] ** 2))), 1e-9
    )
    friction = np.zeros(samples)
    for kind, track in (("hiss", said.hiss), ("hush", said.hush)):
        centre_hz, width_hz = (np.array([value]) for value in _FRICTION_HZ[kind])
        section = resonator(centre_hz, width_hz, rate_hz)
        rustle = sosfilt(section, np.diff(rng.standard_normal(samples), prepend=0.0))
        friction += fine(track) * rustle / rustle.std()
    level_db = fine(trait["level_db"])
    speech = (voiced + 0.25 * _SPEECH_RMS * friction) * 10 ** (level_db / 20)
    speech *= 10 ** (session.level_db / 20)
    room = lfilter([1.0], [1.0, -0.9], rng.standard_normal(samples))
    sound = speech + noise * _ROOM_RMS * room / room.std()
    sound = lfilter([1.0, session.microphone], [1.0 + session.microphone], sound)
    return np.tanh(sound).astype(np.float32)


def _sections(voice: Voice, performance: Performance, rate_hz: int) -> np.ndarray:
    trait = dict(zip(VOICE_TRAITS, performance.traits.T, strict=True))
    ticks = len(performance.cue)
    scale = voice.formant_scale * (1 + trait["formants_percent"] / 100)
    formants = np.column_stack(
        [performance.articulation.formants_hz, np.tile(_HIGHER_FORMANTS_HZ, (ticks, 1))]
    )
    formants = np.minimum(formants * scale[:, None], 0.47 * rate_hz)  # (ticks, 5)
    bandwidths = np.broadcast_to(_BANDWIDTHS_HZ, formants.shape)
    dull = tilt(np.maximum(voice.tilt_db + trait["tilt_db"], 1.0), rate_hz)
    return np.concatenate([dull[:, None], resonator(formants, bandwidths, rate_hz)], axis=1)
