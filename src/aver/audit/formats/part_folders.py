"""`read_part_folder`: media files below a folder that is one part of a split."""

from __future__ import annotations

from pathlib import Path

from aver.audit.formats.row import Row
from aver.audit.known_names import canonical_label
from aver.corpora.media_files import IMAGE_SUFFIXES, SOUND_SUFFIXES, VIDEO_SUFFIXES, find_media
from aver.emotions import EMOTIONS


def read_part_folder(folder: Path, root: Path) -> list[Row]:
    """Rows of all media files below a folder.

    A folder named like an emotion labels the files in it.

    Parameters
    ----------
    folder : Path
        One part, for instance ``data/train``.
    root : Path
        Folder of all parts; names are relative to it.
    """
    rows = []
    found = find_media(folder, VIDEO_SUFFIXES | SOUND_SUFFIXES | IMAGE_SUFFIXES)
    # Names tell as much of a file that was not fetched (Git LFS) or is empty.
    paths = {*found.files, *(folder / problem.path for problem in found.problems)}
    for path in sorted(paths, key=lambda path: path.relative_to(root).as_posix()):
        labels = [
            label
            for place in path.relative_to(folder).parts[:-1]
            if (label := canonical_label(place)) in EMOTIONS
        ]
        name = path.relative_to(root).as_posix()
        rows.append(Row(name, name, {"emotion": labels[-1]} if labels else {}))
    return rows
