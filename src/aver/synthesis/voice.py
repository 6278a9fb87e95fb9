"""Speech synthesis: glottal source, vocal tract, friction noise, and room noise."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.signal import lfilter, resample_poly, sosfilt

from aver.synthesis.performance import TICKS_PER_S, Performance
from aver.synthesis.speaker import VOICE_TRAITS, Session, Voice

_OVERSAMPLING = 3  # the pulse ends in a discontinuity, which would alias otherwise


def glottal_source(
    pitch_hz: np.ndarray,
    rate_hz: int,
    *,
    jitter: np.ndarray | float = 0.0,
    breath: np.ndarray | float = 0.0,
    open_quotient: float = 0.6,
    rng: np.random.Generator,
) -> np.ndarray:
    """Derivative of the air flow through the vocal folds.

    Parameters
    ----------
    pitch_hz : np.ndarray [shape=(samples,)]
        Fundamental frequency at each sample, in Hz, above 0.
    rate_hz : int
        Samples per second.
    jitter : np.ndarray [shape=(samples,)] or float
        Relative standard deviation of a cycle's length (0.01 is 1 percent).
    breath : np.ndarray [shape=(samples,)] or float
        Aspiration noise while the folds are open, relative to the pulses.
    open_quotient : float in (0, 1)
        Share of the cycle during which the folds are open.
    rng : np.random.Generator

    Returns
    -------
    np.ndarray [shape=(samples,)]
        RMS about 1 in voiced speech.

    Notes
    -----
    Source: KLGLOTT88 of Klatt & Klatt, "Analysis, synthesis, and perception of voice quality
    variations", JASA 87 (1990), section II: the flow is a t^2 - b t^3 while the folds are open.
    """
    samples = len(pitch_hz)
    fine_hz = np.interp(
        np.arange(samples * _OVERSAMPLING) / _OVERSAMPLING, np.arange(samples), pitch_hz
    )
    steps = fine_hz / (rate_hz * _OVERSAMPLING)
    cycles = np.cumsum(steps)
    # Jitter and shimmer are drawn once per cycle.
    jitter_fine = np.repeat(np.broadcast_to(jitter, (samples,)), _OVERSAMPLING)
    drawn = rng.standard_normal((2, int(cycles[-1] * 2) + 8))
    current = cycles.astype(np.int64)
    cycles = np.cumsum(steps * np.clip(1 + jitter_fine * drawn[0, current], 0.5, 1.5))
    current = cycles.astype(np.int64)
    shimmer = 1 + 2 * jitter_fine * drawn[1, np.minimum(current, drawn.shape[1] - 1)]
    opened = (cycles - current) / open_quotient
    is_open = opened < 1
    pulses = np.where(is_open, 2 * opened - 3 * opened**2, 0.0) * shimmer
    pulses = resample_poly(pulses, 1, _OVERSAMPLING)[:samples]
    aspiration = rng.standard_normal(samples) * np.where(is_open[::_OVERSAMPLING], 1.0, 0.3)
    # The mean of (2 u - 3 u^2)^2 over the open phase is 2/15.
    return pulses / np.sqrt(open_quotient * 2 / 15) + aspiration * breath


def resonator(frequency_hz: np.ndarray, bandwidth_hz: np.ndarray, rate_hz: int) -> np.ndarray:
    """Second-order sections of resonators with a gain of 1 at 0 Hz.

    Parameters
    ----------
    frequency_hz, bandwidth_hz : np.ndarray [shape=(...)]
        Center and width of each resonance, in Hz, below half of `rate_hz`.
    rate_hz : int

    Returns
    -------
    np.ndarray [shape=(..., 6)]
        As `scipy.signal.sosfilt` takes them.

    Notes
    -----
    Source: Klatt, "Software for a cascade/parallel formant synthesizer", JASA 67 (1980),
    equation 2.
    """
    c = -np.exp(-2 * np.pi * bandwidth_hz / rate_hz)
    b = 2 * np.exp(-np.pi * bandwidth_hz / rate_hz) * np.cos(2 * np.pi * frequency_hz / rate_hz)
    zero, one = np.zeros_like(c), np.ones_like(c)
    return np.stack([1 - b - c, zero, zero, one, -b, -c], axis=-1)


def tilt(attenuation_db: np.ndarray, rate_hz: int, at_hz: float = 3000.0) -> np.ndarray:
    """First-order low-pass sections that attenuate `at_hz` by so many dB, and 0 Hz by none.

    Parameters
    ----------
    attenuation_db : np.ndarray [shape=(...)]
        Above 0.
    rate_hz : int
    at_hz : float

    Returns
    -------
    np.ndarray [shape=(..., 6)]
    """
    # |H|^2 = (1 - p)^2 / (1 - 2 p cos w + p^2) = g, solved for the pole p in (0, 1).
    gain = 10 ** (-np.maximum(attenuation_db, 0.01) / 10)
    half = (1 - gain * np.cos(2 * np.pi * at_hz / rate_hz)) / (1 - gain)
    pole = half - np.sqrt(half**2 - 1)
    zero, one = np.zeros_like(pole), np.ones_like(pole)
    return np.stack([1 - pole, zero, zero, one, -pole, zero], axis=-1)


def filter_by_blocks(audio: np.ndarray, sections: np.ndarray, block: int) -> np.ndarray:
    """Filter audio with a filter that changes every `block` samples; its state is kept.

    Parameters
    ----------
    audio : np.ndarray [shape=(samples,)]
    sections : np.ndarray [shape=(blocks, sections, 6)]
        The last one is used for the rest of the audio.
    block : int >= 1
        Samples.

    Returns
    -------
    np.ndarray [shape=(samples,)]
    """
    filtered = np.empty_like(audio)
    memory = np.zeros((sections.shape[1], 2))
    for index, section in enumerate(sections):
        start = index * block
        end = start + block if index + 1 < len(sections) else len(audio)
        if start >= len(audio):
            break
        filtered[start:end], memory = sosfilt(section, audio[start:end], zi=memory)
    return filtered


_HIGHER_FORMANTS_HZ = (3500.0, 4500.0)
_BANDWIDTHS_HZ = (70.0, 100.0, 150.0, 220.0, 280.0)
_FRICTION_HZ = {"hiss": (5600.0, 1600.0), "hush": (3200.0, 1400.0)}  # center and width
_SPEECH_RMS = 0.06  # -24 dB below full scale, headroom for loud speech
_ROOM_RMS = 0.0012


def pitch_track_hz(voice: Voice, performance: Performance, rng: np.random.Generator) -> np.ndarray:
    """Pitch of every tick, in Hz: a slow fall plus movements with the syllables.

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
    """Audio of a whole clip.

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
        Within -1 to 1; as long as the video.
    """
    samples = round(performance.duration_s * rate_hz)
    ticks = np.arange(samples) * (TICKS_PER_S / rate_hz)

    def fine(track: np.ndarray) -> np.ndarray:
        return np.interp(ticks, np.arange(len(track)), track)

    trait = dict(zip(VOICE_TRAITS, performance.traits.T, strict=True))
    articulation = performance.articulation
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
        source * fine(articulation.voicing),
        _sections(voice, performance, rate_hz),
        rate_hz // TICKS_PER_S,
    )
    voiced *= _SPEECH_RMS / max(
        float(np.sqrt(np.mean(voiced[fine(articulation.voicing) > 0.3] ** 2))), 1e-9
    )
    friction = np.zeros(samples)
    for kind, track in (("hiss", articulation.hiss), ("hush", articulation.hush)):
        center_hz, width_hz = (np.array([value]) for value in _FRICTION_HZ[kind])
        section = resonator(center_hz, width_hz, rate_hz)
        friction_noise = sosfilt(section, np.diff(rng.standard_normal(samples), prepend=0.0))
        friction += fine(track) * friction_noise / friction_noise.std()
    level_db = fine(trait["level_db"])
    speech = (voiced + 0.25 * _SPEECH_RMS * friction) * 10 ** (level_db / 20)
    speech *= 10 ** (session.level_db / 20)
    room = lfilter([1.0], [1.0, -0.9], rng.standard_normal(samples))
    audio = speech + noise * _ROOM_RMS * room / room.std()
    audio = lfilter([1.0, session.microphone], [1.0 + session.microphone], audio)
    return np.tanh(audio).astype(np.float32)


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
