"""The intact files that `fuzz.py` damages: clips in many containers, tables, a trained run."""

from __future__ import annotations

import json
import shutil
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from PIL import Image

from aver.cli.main import main
from aver.media.audio import read_audio
from aver.media.frames import read_frames

CONTAINERS = {
    "mp4": ("libx264", "aac"),
    "mov": ("mpeg4", "pcm_s16le"),
    "mkv": ("libx264", "flac"),
    "webm": ("libvpx", "libopus"),
    "avi": ("mpeg4", "libmp3lame"),
    "ts": ("libx264", "aac"),
    "flv": ("flv", "libmp3lame"),
    "wmv": ("wmv2", "wmav2"),
    "mpg": ("mpeg1video", "mp2"),
    "ogg": (None, "libopus"),
    "wav": (None, "pcm_s16le"),
    "mp3": (None, "libmp3lame"),
    "flac": (None, "flac"),
}
"""Suffix to codecs of video and audio; JPEG and PNG pictures come on top."""

FRAME_HZ, AUDIO_HZ = 25, 48000
SYNTHETIC = ("speakers=6", "emotions=[happy, sad]", "sentences=1", "takes=1", "size_px=96",
             "duration_s=[0.8, 1.0]")  # fmt: skip


def run(*words: object) -> None:
    """One command of aver, which must succeed."""
    status = main([str(word) for word in words])
    if status != 0:
        raise RuntimeError(f"aver {' '.join(map(str, words))}: exit status {status}")


def make_material(folder: Path) -> Path:
    """Write the intact files, once.

    Parameters
    ----------
    folder : Path
        Gets ``corpus/`` (synthetic), ``clips/`` (one clip in every container), ``split.json``,
        ``preset.yaml``, ``table/`` (a corpus with a table), ``pattern/`` (one with a pattern),
        ``run/`` (a trained run), ``cache/`` and ``good.mp4``.
    """
    if (folder / "complete").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    corpus = folder / "corpus"
    run("corpus", "synthesize", corpus, "--set", *SYNTHETIC, "--workers", 1)
    source = min(corpus.rglob("*.mp4"))
    shutil.copy(source, folder / "good.mp4")
    write_clips(source, folder / "clips")
    run("split", "make", "--corpus", corpus, "--set", "folds=3", "--out", folder / "split.json")
    (folder / "preset.yaml").write_text(
        "model: statistics-logistic\nsummary: For the fuzz.\nsettings:\n"
        "  modalities: [video, audio, action_units]\n"
    )
    run(*train_words(folder, folder / "run"))
    for name in ("table", "pattern"):
        (folder / name).mkdir()
    names = [
        f"{speaker}_{emotion}.wav"
        for speaker in ("ann", "ben", "cem")
        for emotion in ("joy", "sad")
    ]
    rows = ["file,speaker,sex,emotion,intensity,sentence,take,subset"]
    for number, name in enumerate(names):
        for place in ("table", "pattern"):
            shutil.copy(folder / "clips" / "clip.wav", folder / place / name)
        speaker, emotion = name.removesuffix(".wav").split("_")
        sex = "male" if speaker == "ben" else "female"
        rows.append(f"{name},{speaker},{sex},{emotion},normal,s{number % 2},1,train")
    (folder / "table" / "aver-corpus.csv").write_text("\n".join(rows) + "\n")
    (folder / "pattern" / "aver-corpus.yaml").write_text(
        'title: Our clips\nlicense: CC BY 4.0\ncitation: Us\npattern: "{speaker}_{emotion}.wav"\n'
        "labels:\n  joy: happy\n  sad: sad\nsexes:\n  ben: male\n  ann: female\n  cem: female\n"
    )
    (folder / "complete").write_text(json.dumps(sorted(CONTAINERS)))
    return folder


def train_words(material: Path, out: Path) -> tuple[str, ...]:
    """The command that trains the run; with the same folder again, it finds the run finished."""
    places = {"corpus": "corpus", "cache": "cache", "preset": "preset.yaml", "split": "split.json"}
    options = [word for name in places for word in (f"--{name}", str(material / places[name]))]
    return ("train", *options, "--workers", "1", "--out", str(out))


def write_clips(source: Path, folder: Path) -> None:
    """The clip in every container, and one of its frames as JPEG and PNG."""
    folder.mkdir(parents=True, exist_ok=True)
    frames = [frame for _, frame in read_frames(source, FRAME_HZ)][:16]
    audio = read_audio(source, AUDIO_HZ)[: len(frames) * AUDIO_HZ // FRAME_HZ]
    for suffix, (video_codec, audio_codec) in CONTAINERS.items():
        with av.open(str(folder / f"clip.{suffix}"), "w") as container:
            tracks = []
            if video_codec:
                tracks.append(_video_track(container, video_codec, frames[0].shape))
            sound_track = container.add_stream(audio_codec, rate=AUDIO_HZ, layout="mono")
            sound_track.bit_rate = 96_000
            tracks.append(sound_track)
            if video_codec:
                for number, image in enumerate(frames):
                    frame = av.VideoFrame.from_ndarray(image, "rgb24")
                    frame.pts, frame.time_base = number, Fraction(1, FRAME_HZ)
                    container.mux(tracks[0].encode(frame))
            for start in range(0, audio.size, 960):
                piece = np.round(32767 * audio[None, start : start + 960]).astype(np.int16)
                sound = av.AudioFrame.from_ndarray(piece, "s16", "mono")
                sound.rate, sound.pts, sound.time_base = AUDIO_HZ, start, Fraction(1, AUDIO_HZ)
                container.mux(tracks[-1].encode(sound))
            for track in tracks:
                container.mux(track.encode())
    for suffix in ("jpg", "png"):
        Image.fromarray(frames[0]).save(folder / f"clip.{suffix}")


def _video_track(container: av.container.OutputContainer, codec: str, shape: tuple[int, ...]):
    track = container.add_stream(codec, rate=FRAME_HZ)
    track.height, track.width = shape[:2]
    track.pix_fmt = "yuv420p"
    return track
