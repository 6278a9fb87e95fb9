"""Write a synthetic corpus: plan the clips, render each one, list them in ``clips.csv``."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from aver.compatibility import upgrade
from aver.errors import SettingsError
from aver.execution.files import write_atomically, write_json, write_text
from aver.execution.tasks import map_tasks
from aver.synthesis.settings import SynthesisSettings, generator_for
from aver.synthesis.speaker import ACTION_UNITS, draw_session, draw_speaker

COLUMNS = (
    *("clip_id", "speaker", "sex", "emotion", "intensity", "sentence", "take"),
    *("file", "action_units"),
)


@dataclass(frozen=True)
class ClipPlan:
    """Speaker, emotion, sentence and take of one clip, and the paths of its files."""

    number: int
    """The speaker's number, from 1."""
    speaker: str
    sex: str
    emotion: str
    intensity: str
    sentence: int
    take: int

    @property
    def clip_id(self) -> str:
        """For instance ``"s01-happy-2-1"``: speaker, emotion, sentence, take."""
        return f"{self.speaker}-{self.emotion}-{self.sentence}-{self.take}"

    @property
    def file(self) -> str:
        """Path of the media file, with forward slashes."""
        return f"clips/{self.speaker}/{self.clip_id}.mp4"

    @property
    def action_units(self) -> str:
        """Path of the action-unit track, with forward slashes."""
        return f"units/{self.speaker}/{self.clip_id}.csv"


def plan_clips(settings: SynthesisSettings) -> list[ClipPlan]:
    """All clips of the corpus, sorted by speaker.

    Half of the clips of every emotion but neutral are of strong intensity.

    Examples
    --------
    >>> plan_clips(SynthesisSettings(speakers=1))[0].clip_id
    's01-neutral-1-1'
    """
    plans = []
    for number in range(1, settings.speakers + 1):
        for order, emotion in enumerate(settings.emotions):
            for sentence in range(1, settings.sentences + 1):
                for take in range(1, settings.takes + 1):
                    strong = (number + order + sentence + take) % 2 == 1 and emotion != "neutral"
                    plans.append(
                        ClipPlan(
                            number=number,
                            speaker=f"s{number:02d}",
                            sex="female" if number % 2 == 1 else "male",
                            emotion=emotion,
                            intensity="strong" if strong else "normal",
                            sentence=sentence,
                            take=take,
                        )
                    )
    return plans


def clips_csv(plans: Sequence[ClipPlan]) -> str:
    """The table ``clips.csv``."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for plan in plans:
        writer.writerow([getattr(plan, column) for column in COLUMNS])
    return text.getvalue()


def unit_track_csv(units: np.ndarray, fps: float, noise: float, rng: np.random.Generator) -> str:
    """One row per frame, in the columns and the range of OpenFace 2.

    Parameters
    ----------
    units : np.ndarray [shape=(frames, 11)]
        Rendered intensities of `ACTION_UNITS`, 0 to 5.
    fps : float
    noise : float >= 0
        Scales the error of measurement: at 1 a standard deviation of 0.35 per frame, and of 0.3
        for a whole clip.
    rng : np.random.Generator

    Returns
    -------
    str
        CSV with the columns frame, timestamp (in s) and ``AU01_r`` to ``AU26_r``.
    """
    error = rng.normal(0, 0.35, units.shape) + rng.normal(0, 0.3, units.shape[1])
    measured = np.clip(units + noise * error, 0, 5)
    lines = ["frame,timestamp," + ",".join(f"{unit}_r" for unit in ACTION_UNITS)]
    for number, row in enumerate(measured):
        values = ",".join(f"{value:.2f}" for value in row)
        lines.append(f"{number + 1},{number / fps:.3f},{values}")
    return "\n".join(lines) + "\n"


# Macroblock-tree rate control (part of the presets from veryfast on) does not give the same bits
# every time: measured with x264 as PyAV 18 carries it, the first file of a process differed.
_X264 = {"preset": "superfast", "crf": "20", "x264-params": "mbtree=0"}


def encode_mp4(frames: Iterable[np.ndarray], fps: float, audio: np.ndarray, rate_hz: int) -> bytes:
    """Encode an MP4 file in memory (H.264 and AAC), so that only whole files reach the disk.

    Parameters
    ----------
    frames : iterable of np.ndarray [shape=(height, width, 3), dtype=uint8]
        BGR, at least one; height and width are even.
    fps : float
    audio : np.ndarray [shape=(samples,), dtype=float32]
        Within -1 to 1.
    rate_hz : int

    Returns
    -------
    bytes
        The same input gives the same bytes: each encoder runs in one thread.
    """
    import av

    buffer = io.BytesIO()
    frame_rate = Fraction(fps).limit_denominator(1001)
    with av.open(buffer, "w", format="mp4") as container:
        audio_stream = container.add_stream("aac", rate=rate_hz, layout="mono", bit_rate=64_000)
        video = None
        for image in frames:
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="bgr24")
            if video is None:
                video = container.add_stream("libx264", rate=frame_rate, options=_X264)
                video.codec_context.thread_count = 1
                video.width, video.height = frame.width, frame.height
                video.pix_fmt = "yuv420p"
            container.mux(video.encode(frame))
        if video is not None:
            container.mux(video.encode(None))
        samples = av.AudioFrame.from_ndarray(
            audio.astype(np.float32)[None, :], format="fltp", layout="mono"
        )
        samples.sample_rate = rate_hz
        # Without a time stamp the container would not record the encoder's delay, and the audio
        # would start late.
        samples.pts, samples.time_base = 0, Fraction(1, rate_hz)
        container.mux(audio_stream.encode(samples))
        container.mux(audio_stream.encode(None))
    return buffer.getvalue()


def render_clip(plan: ClipPlan, settings: SynthesisSettings) -> tuple[bytes, str]:
    """Render video, audio and action units of one clip.

    Parameters
    ----------
    plan : ClipPlan
    settings : SynthesisSettings

    Returns
    -------
    bytes, str
        The MP4 file and the table of action units; they depend on seed, settings and clip id only.
    """
    from aver.synthesis.frames import render_frames
    from aver.synthesis.performance import draw_sentence, plan_performance
    from aver.synthesis.voice import speak

    def generator(purpose: str) -> np.random.Generator:
        return generator_for(settings.seed, "clip", plan.clip_id, purpose)

    speaker = draw_speaker(settings.seed, plan.number)
    performance = plan_performance(
        speaker,
        plan.emotion,
        plan.intensity,
        draw_sentence(settings.seed, plan.sentence),
        settings,
        generator("performance"),
    )
    session = draw_session(settings.seed, plan.speaker, plan.emotion, settings.noise)
    noise = settings.noise
    audio = speak(
        speaker.voice, performance, session, settings.audio_rate_hz, noise, generator("voice")
    )
    frames = render_frames(
        speaker.face, performance, session, settings.size_px, noise, generator("picture")
    )
    units = unit_track_csv(performance.units, settings.fps, settings.noise, generator("units"))
    return encode_mp4(frames, settings.fps, audio, settings.audio_rate_hz), units


_VERSION = 1  # raised whenever the same settings would give other clips


def synthesize(root: Path, settings: SynthesisSettings, workers: int = 1) -> Path:
    """Write a corpus of filmed emotional speech by invented people.

    If interrupted, complete clips are kept, and the next call writes the missing ones.
    ``clips.csv`` is written last, when the corpus is complete.

    Parameters
    ----------
    root : Path
        Folder of the corpus; created if missing.
    settings : SynthesisSettings
    workers : int >= 1
        Number of processes; the clips do not depend on it.

    Returns
    -------
    Path
        `root`.

    Raises
    ------
    SettingsError
        If the folder holds a corpus with other settings, or files that are not a synthetic corpus.
    StorageError
        If the disk is full or the folder cannot be written.
    """
    root = Path(root)
    _claim(root, settings)
    plans = plan_clips(settings)
    missing = [
        plan
        for plan in plans
        if not ((root / plan.file).is_file() and (root / plan.action_units).is_file())
    ]
    write = partial(_write_clip, root, settings)
    for outcome in map_tasks(
        write, missing, workers=workers, description="Synthesizing", unit="clips"
    ):
        if outcome.error is not None:
            raise outcome.error
    write_text(root / "clips.csv", clips_csv(plans))
    return root


def _claim(root: Path, settings: SynthesisSettings) -> None:
    description: dict[str, Any] = {
        "kind": "aver synthetic corpus",
        "version": _VERSION,
        "settings": json.loads(json.dumps(asdict(settings))),  # tuples as JSON has them
    }
    place = root / "synthesis.json"
    if place.exists():
        _compare(place, description)
    elif root.is_dir() and any(not path.name.startswith(".") for path in root.iterdir()):
        raise SettingsError(
            f"{root} is not empty and is not a synthetic corpus (synthesis.json is missing). "
            "Choose an empty folder."
        )
    else:
        write_json(place, description)


def _compare(place: Path, description: dict[str, Any]) -> None:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        settings, version = upgrade(dict(found["settings"])), found["version"]
    except (ValueError, KeyError, TypeError):
        raise SettingsError(
            f"{place} cannot be read as the description of a synthetic corpus. "
            "Choose another folder, or delete this one."
        ) from None
    if version != description["version"]:
        raise SettingsError(
            f"{place.parent} was written by version {version} of the synthesis; this is version "
            f"{description['version']}. Choose another folder, or delete this one."
        )
    for name, wanted in description["settings"].items():
        if settings.get(name) != wanted:
            raise SettingsError(
                f"{place.parent} holds a synthetic corpus with {name} {settings.get(name)!r}, not "
                f"{wanted!r}. Choose another folder, or delete this one."
            )


def _write_clip(root: Path, settings: SynthesisSettings, plan: ClipPlan) -> None:
    media, units = render_clip(plan, settings)
    write_text(root / plan.action_units, units)
    with write_atomically(root / plan.file) as temporary:
        temporary.write_bytes(media)
