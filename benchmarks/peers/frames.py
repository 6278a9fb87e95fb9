"""Writes frames of clips with the boxes of their faces, for face networks of other packages.

    python benchmarks/peers/frames.py --data DIR --out FOLDER [--actors 03 04 08 09]

Of each javanese-av clip of these actors, 16 frames in which aver tracks a face, evenly spread over
the clip. FOLDER must be empty or not exist, and lie outside the project, since the frames must not
be passed on. It receives:

- ``clips.csv``: one row per clip with ``clip_id``, ``speaker``, ``emotion`` and ``file``;
- ``NUMBER.npz`` per clip: ``images`` uint8 (frames, height, width, 3) in RGB, ``boxes`` float32
  (frames, 4), left, top, right and bottom in pixels, ``times_s`` float32 (frames,).
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from aver.corpora import open_corpus
from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, Selection
from aver.errors import AverError, MissingModalityError, SettingsError
from aver.execution.progress import progress_bar
from aver.media.frames import read_frames
from aver.media.main_face import track_faces

FRAMES = 16
ACTORS = ("03", "04", "08", "09")
"""Of javanese-av; the fusion of the shipped recognizer was chosen on the other four."""
TABLE = "clips.csv"

_PROJECT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, eq=False)
class FaceFrames:
    """Some frames of one clip, each with a face.

    Parameters
    ----------
    images : np.ndarray [shape=(frames, height, width, 3), dtype=uint8]
        In RGB.
    boxes : np.ndarray [shape=(frames, 4), dtype=float32]
        Left, top, right and bottom of the face in pixels.
    times_s : np.ndarray [shape=(frames,), dtype=float32]
    """

    images: np.ndarray
    boxes: np.ndarray
    times_s: np.ndarray


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder with javanese-av")
    parser.add_argument("--out", type=Path, required=True, help="temporary folder for the frames")
    parser.add_argument("--actors", nargs="+", default=list(ACTORS))
    arguments = parser.parse_args()
    try:
        corpus = javanese(arguments.data, arguments.actors)
        without_face = write_frames(corpus, arguments.out)
    except AverError as error:
        parser.error(str(error))
    print(f"Frames of {len(corpus) - len(without_face)} clips are in {arguments.out}.")
    for clip_id in without_face:
        print(f"{clip_id} has no face and is left out.")


def javanese(data: Path, actors: Sequence[str]) -> Corpus:
    """The javanese-av clips of some actors."""
    corpus = open_corpus(data / "javanese-av", "manifest", config="javanese-av")
    return Selection(speakers=tuple(actors)).apply(corpus)


def write_frames(corpus: Corpus, out: Path) -> list[str]:
    """Write the frames of all clips.

    Returns
    -------
    list of str
        Clips without a face; nothing is written for them.

    Raises
    ------
    SettingsError
        If `out` is inside the project, or not empty.
    """
    if out.resolve().is_relative_to(_PROJECT):
        raise SettingsError(
            f"The frames must not get into the project, but {out} is inside it. Name a temporary "
            "folder outside."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise SettingsError(f"{out} is not an empty folder. Name another one, or empty it.")
    out.mkdir(parents=True, exist_ok=True)
    without_face = []
    with (out / TABLE).open("w", newline="", encoding="utf-8") as handle:
        rows = csv.writer(handle)
        rows.writerow(["clip_id", "speaker", "emotion", "file"])
        with progress_bar("Tracking faces", len(corpus)) as bar:
            for number, clip in enumerate(corpus):
                frames = face_frames(clip)
                if frames is None:
                    without_face.append(clip.clip_id)
                else:
                    file = f"{number:04d}.npz"
                    np.savez(
                        out / file,
                        images=frames.images,
                        boxes=frames.boxes,
                        times_s=frames.times_s,
                    )
                    rows.writerow([clip.clip_id, clip.speaker, clip.emotion, file])
                bar.advance()
    return without_face


def face_frames(clip: Clip, count: int = FRAMES) -> FaceFrames | None:
    """Evenly spread frames with a face; None if the clip has no face."""
    if clip.video is None:
        return None
    try:
        track = track_faces(clip.video)
    except MissingModalityError:
        return None
    chosen = evenly_spread(track.found, count)
    if not len(chosen):
        return None
    wanted = set(chosen.tolist())
    images = [
        image
        for row, (_, image) in enumerate(read_frames(clip.video, skip_black=True))
        if row in wanted
    ]
    return FaceFrames(
        np.stack(images), track.boxes[chosen], track.times_s[chosen].astype(np.float32)
    )


def evenly_spread(found: np.ndarray, count: int) -> np.ndarray:
    """Indices of `count` true entries, evenly spread over all true ones; all if there are fewer.

    Examples
    --------
    >>> evenly_spread(np.array([False, True, True, True, True, True]), 3).tolist()
    [1, 3, 5]
    """
    places = np.flatnonzero(found)
    if len(places) <= count:
        return places
    return places[np.linspace(0, len(places) - 1, count).round().astype(int)]


def read_face_frames(folder: Path) -> dict[str, Path]:
    """The file of each clip, by its id.

    Raises
    ------
    SettingsError
        If the folder holds no frames.
    """
    table = folder / TABLE
    if not table.is_file():
        raise SettingsError(f"There is no {TABLE} in {folder}. Write the frames with frames.py.")
    with table.open(newline="", encoding="utf-8") as handle:
        return {row["clip_id"]: folder / row["file"] for row in csv.DictReader(handle)}


def load_face_frames(file: Path) -> FaceFrames:
    """Read what `write_frames` wrote for one clip."""
    with np.load(file, allow_pickle=False) as arrays:
        return FaceFrames(arrays["images"], arrays["boxes"], arrays["times_s"])


if __name__ == "__main__":
    main()
