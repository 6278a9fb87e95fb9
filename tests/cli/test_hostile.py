"""Files that are made to harm are refused in one line and in bounded memory.

Commands run in one process of their own, which sets its VmHWM back before each: what a command adds
to the resident memory is measured, and does not depend on the process that started it.
"""

from __future__ import annotations

import io
import json
import os
import socket
import struct
import subprocess
import sys
import tarfile
import zlib
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile
from PIL import Image

from tone_corpus import speech_like, write_tone_corpus

GIB = 2**30
LAUGHS = "a0: &a0 [lol]\n" + "".join(  # 10 billion values if its references are written out
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10)
)
LARGE_PX = 100_000

pytestmark = pytest.mark.skipif(
    not Path("/proc/self/clear_refs").exists(), reason="needs the /proc of Linux"
)

MEASURE = r"""
import contextlib, io, json, re, sys
from pathlib import Path
from aver.cli.main import main

def memory_mib(which):
    found = re.search(which + r":\s+(\d+)", Path("/proc/self/status").read_text())
    return int(found[1]) / 1024

for words in json.load(sys.stdin):
    before = memory_mib("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")
    with contextlib.redirect_stderr(io.StringIO()) as err, \
         contextlib.redirect_stdout(io.StringIO()) as out:
        status = main(words)
    added = memory_mib("VmHWM") - before
    row = {"status": status, "err": err.getvalue(), "out": out.getvalue(), "mib": added}
    print(json.dumps(row), flush=True)
"""


def measured(commands: list[list[object]]) -> list[dict[str, Any]]:
    given = json.dumps([[str(word) for word in words] for words in commands])
    run = [sys.executable, "-c", MEASURE]
    done = subprocess.run(run, input=given, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return [json.loads(line) for line in done.stdout.splitlines()]


def sparse(path: Path, start: bytes = b"") -> Path:
    """A file of 1 GiB that takes no space: its start, then zeros."""
    with path.open("wb") as file:
        file.write(start)
        file.truncate(GIB)
    return path


def huge_pictures(folder: Path) -> None:
    """Small pictures whose headers state the largest size that the format knows, or 100,000."""

    def written(kind: str) -> bytearray:
        target = io.BytesIO()
        Image.new("RGB", (64, 48), (200, 100, 50)).save(target, kind)
        return bytearray(target.getvalue())

    def chunk(name: bytes, content: bytes) -> bytes:
        checked = name + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    header = struct.pack(">IIBBBBB", LARGE_PX, LARGE_PX, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(999))) + chunk(b"IEND", b"")
    (folder / "huge.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    jpeg = written("JPEG")
    at = jpeg.find(b"\xff\xc0") + 5
    jpeg[at : at + 4] = struct.pack(">HH", 65500, 65500)
    (folder / "huge.jpg").write_bytes(jpeg)
    gif = written("GIF")
    gif[6:10] = struct.pack("<HH", 65535, 65535)
    at = gif.find(b"\x2c", 10) + 5
    gif[at : at + 4] = struct.pack("<HH", 65535, 65535)
    (folder / "huge.gif").write_bytes(gif)
    bmp = written("BMP")
    bmp[18:26] = struct.pack("<ii", LARGE_PX, LARGE_PX)
    (folder / "huge.bmp").write_bytes(bmp)
    tiff = written("TIFF")
    (start,) = struct.unpack("<I", tiff[4:8])
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", tiff, start)[0], 12):
        if struct.unpack_from("<H", tiff, at)[0] in (256, 257):  # width and height
            tiff[at + 2 : at + 12] = struct.pack("<HII", 4, 1, LARGE_PX)
    (folder / "huge.tiff").write_bytes(tiff)
    webp = written("WEBP")
    at = webp.find(b"\x9d\x01\x2a") + 3
    webp[at : at + 4] = struct.pack("<HH", 16383, 16383)
    (folder / "huge.webp").write_bytes(webp)


def huge_videos(folder: Path) -> None:
    """Videos whose headers state 100,000 x 100,000 pixels."""
    for name, codec, pixels in (("jpeg", "mjpeg", "yuvj420p"), ("raw", "rawvideo", "bgr24")):
        path = folder / f"huge-{name}.avi"
        with av.open(str(path), "w") as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
            for number in range(5):
                frame = av.VideoFrame.from_ndarray(np.full((48, 64, 3), 128, np.uint8), "rgb24")
                frame.pts = number
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
        content = path.read_bytes()
        for sign in (1, -1):
            small, large = struct.pack("<ii", 64, sign * 48), struct.pack("<ii", LARGE_PX, LARGE_PX)
            content = content.replace(small, large)
        small, large = struct.pack(">HH", 48, 64), struct.pack(">HH", 65500, 65500)
        path.write_bytes(content.replace(b"\xff\xc0\x00\x11\x08" + small,
                                         b"\xff\xc0\x00\x11\x08" + large))  # fmt: skip
    head = b"YUV4MPEG2 W100000 H100000 F25:1 Ip A1:1 C420\nFRAME\n"
    (folder / "huge.y4m").write_bytes(head + bytes(1000))


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    os.mkfifo(folder / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.mp4"))
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "folder.mp4").mkdir()
    zeros = sparse(folder / "zeros.mp4")
    for suffix in ("wav", "mp3", "jpg"):
        os.link(zeros, folder / f"zeros.{suffix}")
    huge_pictures(folder)
    huge_videos(folder)
    return folder


def test_media_are_refused_one_by_one(hostile: Path, tmp_path: Path) -> None:
    """One line about each, less than 256 MiB, and the good file is predicted."""
    soundfile.write(hostile / "good.wav", speech_like(150.0, 1.5, np.random.default_rng(0)), 16000)
    names = sorted(path.name for path in hostile.iterdir())
    good, rest = "good.wav", ("--workers", 1, "--format", "jsonl", "--cache", tmp_path / "cache")
    alone, together = measured(
        [
            ["predict", hostile / good, *rest],
            ["predict", *(hostile / name for name in names), *rest],
        ]
    )
    assert (alone["status"], together["status"]) == (0, 0)
    rows = {row["clip"]: row for row in map(json.loads, together["out"].splitlines())}
    assert rows[good] == json.loads(alone["out"])
    assert not any(row["emotion"] for name, row in rows.items() if name != good)
    assert together["mib"] < 256
    assert "Traceback" not in together["err"]
    lines = together["err"].splitlines()
    for name in set(names) - {good}:
        assert sum(name in line for line in lines) >= 1, name
    assert len(lines) <= len(names) + 1


def test_documents_are_refused(hostile: Path, tmp_path: Path) -> None:
    """One line, exit status 2, and less than 128 MiB."""
    write_tone_corpus(tmp_path / "tones", speakers=4, takes=1)
    tone = next((tmp_path / "tones").rglob("*.wav"))
    cache = ("--cache", tmp_path / "cache")
    corpus = ("--corpus", tmp_path / "tones", "--reader", "manifest", "--corpus-settings")
    pattern = "pattern={speaker}_{emotion}_{take}.wav"
    train = ["train", *corpus, pattern, "--workers", 1, *cache, "--out", tmp_path / "run"]
    documents = {
        "laughs.yaml": LAUGHS,
        "laughing.yaml": LAUGHS + "model: mrpn\nsummary: *a9\nsettings: *a9\n",
        "deep.yaml": "[" * 3000,
        "deep.json": "[" * 100_000,
    }
    for name, text in documents.items():
        (tmp_path / name).write_text(text)
    for name, start in {
        "zeros.yaml": b"",
        "zeros.json": b"",
        "line.json": b'{"folds": "',
        "zeros.csv": b"",
        "line.csv": b"file,emotion,speaker\n",
    }.items():
        sparse(tmp_path / name, start)
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "recognizer.json").write_text("[" * 100_000)
    commands: list[tuple[str, list[object]]] = []
    for name in ("laughs.yaml", "laughing.yaml", "deep.yaml", "zeros.yaml"):
        commands.append((name, [*train, "--preset", tmp_path / name]))
        commands.append((name, ["train", *corpus, f"config={tmp_path / name}", *train[6:]]))
    for name in ("deep.json", "zeros.json", "line.json"):
        system = ("--preset", "statistics-logistic")
        commands.append((name, [*train, *system, "--split", tmp_path / name]))
        commands.append((name, ["audit", tmp_path / name]))
    for name in ("zeros.csv", "line.csv"):
        commands.append((name, ["audit", tmp_path / name]))
        commands.append((name, ["predict", tone, "--action-units", tmp_path / name, *cache]))
        speakers = f"{tmp_path / name}:speaker"
        commands.append((name, ["predict", tone, "--speaker-by", speakers, *cache]))
        table = [
            "--corpus",
            tmp_path / name,
            "--reader",
            "fer2013",
            "--preset",
            "statistics-logistic",
        ]
        commands.append((name, ["train", *table, *cache, "--out", tmp_path / "run"]))
    commands.append(
        ("recognizer.json", ["predict", tone, "--checkpoint", tmp_path / "weights", *cache])
    )
    imports: list[object] = ["predict", tone, *cache]  # they count for none of the others
    rows = measured([imports, *(words for _, words in commands)])[1:]
    for (name, words), row in zip(commands, rows, strict=True):
        assert row["status"] == 2, (words, row)
        assert len(row["err"].splitlines()) == 1, (words, row)
        assert row["err"].startswith("aver: "), (words, row)
        assert name in row["err"], (words, row)
        assert row["mib"] < 128, (words, row)


def test_weights_that_claim_a_terabyte_are_refused(tmp_path: Path) -> None:
    from aver.errors import CheckpointError
    from aver.models.base.checkpoint import _read_weights

    path = tmp_path / "weights.safetensors"
    described = json.dumps({"w": {"dtype": "F32", "shape": [2**38], "data_offsets": [0, 2**40]}})
    header = described.encode()
    for content in (struct.pack("<Q", 2**40), struct.pack("<Q", len(header)) + header):
        path.write_bytes(content)
        with pytest.raises(CheckpointError, match="cannot be read"):
            _read_weights(path)


def test_an_archive_reads_nothing_outside_itself(tmp_path: Path) -> None:
    """Links, devices and names with '..' in an archive lead to no other file."""
    from aver.corpora.files import archive_members, read_file
    from aver.errors import MediaError

    (tmp_path / "secret.png").write_bytes(b"outside")
    with tarfile.open(tmp_path / "faces.tar", "w") as archive:
        for name, kind, target in (
            ("link.png", tarfile.SYMTYPE, str(tmp_path / "secret.png")),
            ("hard.png", tarfile.LNKTYPE, "../secret.png"),
            ("device.png", tarfile.CHRTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, target
            archive.addfile(member)
        for name in ("../secret.png", "/etc/hostname", "inside.png"):
            member = tarfile.TarInfo(name)
            member.size = 6
            archive.addfile(member, io.BytesIO(b"inside"))
    members = archive_members(tmp_path / "faces.tar")
    assert not {"link.png", "hard.png", "device.png"} & members.keys()
    assert read_file(tmp_path / "faces.tar" / "inside.png") == b"inside"
    assert read_file(tmp_path / "faces.tar" / "../secret.png") == b"inside"
    for name in ("link.png", "hard.png", "device.png"):
        with pytest.raises(MediaError, match="no file"):
            read_file(tmp_path / "faces.tar" / name)
