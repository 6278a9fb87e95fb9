"""`MediaPlace`: the files behind each name of a listing."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from aver.audit.listing import Listing, clips_by_name, find_clip
from aver.audit.part_words import part_in_name
from aver.corpora.corpus import Corpus
from aver.corpora.media_files import (
    IMAGE_SUFFIXES,
    SOUND_SUFFIXES,
    VIDEO_SUFFIXES,
    find_media,
)


@dataclass(frozen=True)
class MediaPlace:
    """Where to take a clip's sound, its film and its picture from; None where there is none."""

    sound: Path | None = None
    film: Path | None = None
    picture: Path | None = None

    @property
    def files(self) -> tuple[Path, ...]:
        """Distinct files."""
        return tuple(dict.fromkeys(path for path in (self.sound, self.film, self.picture) if path))


def places_in_corpus(listing: Listing, corpus: Corpus) -> dict[str, MediaPlace]:
    """The files of every clip that the corpus has."""
    clips = clips_by_name(corpus)
    places = {}
    for name, entry in listing.entries.items():
        clip = find_clip(clips, name, entry.path)
        if clip is None:
            continue
        picture = clip.video is not None and clip.video.suffix.lower() in IMAGE_SUFFIXES
        places[name] = MediaPlace(
            sound=clip.sound,
            film=None if picture else clip.video,
            picture=clip.video if picture else None,
        )
    return places


def places_in_folder(listing: Listing, root: Path) -> dict[str, MediaPlace]:
    """The file that each name most likely means, below any folder.

    A file fits if its name without suffix is the same as that of the list's path, else as the
    list's name; of several, the one whose folders agree most with the path's own. Folders agree too
    if both name one part (``train`` and ``train_splits``). Where two agree equally, none is taken.

    Raises
    ------
    CorpusError
        If the folder is missing.
    """
    by_stem: dict[str, list[Path]] = defaultdict(list)
    for path in find_media(root, VIDEO_SUFFIXES | SOUND_SUFFIXES | IMAGE_SUFFIXES).files:
        by_stem[path.stem].append(path)
    places = {}
    for name, entry in listing.entries.items():
        wanted = PurePosixPath(entry.path or name)
        own = PurePosixPath(name)
        stems = (wanted.stem, wanted.name, own.stem, own.name)
        files = (_eligible(wanted, stem, by_stem.get(stem, [])) for stem in stems)
        found = _best(wanted, next((some for some in files if some), []))
        if found is not None:
            places[name] = _place(found)
    return places


def _eligible(wanted: PurePosixPath, stem: str, files: list[Path]) -> list[Path]:
    """The files of a name; of a bare number in a folder, only those in a folder like it."""
    if not stem.isdigit() or len(wanted.parts) < 2:
        return files
    return [path for path in files if _folders_agree(wanted, path)]


def _folders_agree(wanted: PurePosixPath, path: Path) -> int:
    """How many folders, from the file up, are the same or name the same part."""
    count = 0
    for one, other in zip(reversed(wanted.parts[:-1]), reversed(path.parts[:-1]), strict=False):
        part = part_in_name(one)
        if one != other and (part is None or part != part_in_name(other)):
            break
        count += 1
    return count


def _best(wanted: PurePosixPath, files: list[Path]) -> Path | None:
    def agreement(path: Path) -> tuple[bool, int]:
        return path.suffix.lower() == wanted.suffix.lower(), _folders_agree(wanted, path)

    if not files:
        return None
    ordered = sorted(files, key=agreement, reverse=True)
    if len(ordered) > 1 and agreement(ordered[0]) == agreement(ordered[1]):
        return None
    return ordered[0]


def _place(path: Path) -> MediaPlace:
    suffix = path.suffix.lower()
    if suffix in IMAGE_SUFFIXES:
        return MediaPlace(picture=path)
    if suffix in SOUND_SUFFIXES:
        return MediaPlace(sound=path)
    return MediaPlace(sound=path, film=path)
