"""`read_pictures`: small grey pictures as one array, and a key of what they are."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

import cv2
import numpy as np

from aver.corpora.archive import read_file
from aver.corpora.clip import Clip
from aver.errors import MediaError
from aver.evaluation.clip_facts import clip_facts
from aver.execution.progress import progress_bar


def read_pictures(clips: Sequence[Clip], size_px: int) -> np.ndarray:
    """Decode pictures of faces.

    Parameters
    ----------
    clips : sequence of Clip
        Each with a picture as its video; it may lie in an archive.
    size_px : int > 0
        Side that they are brought to.

    Returns
    -------
    np.ndarray [shape=(clips, size_px, size_px), dtype=uint8]

    Raises
    ------
    MediaError
        If one cannot be decoded.
    """
    pictures = np.empty((len(clips), size_px, size_px), np.uint8)
    with progress_bar("Reading pictures", len(clips)) as bar:
        for row, clip in enumerate(clips):
            assert clip.video is not None
            content = np.frombuffer(read_file(clip.video), np.uint8)
            grey = cv2.imdecode(content, cv2.IMREAD_GRAYSCALE)
            if grey is None:
                raise MediaError(f"{clip.video} cannot be read as a picture. Fetch it again.")
            if grey.shape != (size_px, size_px):
                grey = cv2.resize(grey, (size_px, size_px), interpolation=cv2.INTER_AREA)
            pictures[row] = grey
            bar.advance()
    return pictures


def digest_pictures(clips: Sequence[Clip]) -> str:
    """Sixteen hexadecimal digits that name pictures and their labels, not where they lie.

    Parameters
    ----------
    clips : sequence of Clip
        Each with a picture as its video. One that cannot be read counts as empty.
    """
    found = hashlib.sha256()
    for clip in clips:
        assert clip.video is not None
        found.update(json.dumps(clip_facts(clip), sort_keys=True).encode())
        try:
            found.update(hashlib.sha256(read_file(clip.video)).digest())
        except MediaError:
            found.update(b"unreadable")
    return found.hexdigest()[:16]
