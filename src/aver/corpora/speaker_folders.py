"""Recordings in one folder per speaker, as in VoxCeleb: for pretraining on speakers."""

from __future__ import annotations

from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, group_media, media_kind
from aver.settings import settings


@settings
class SpeakerFolders(CorpusReader):
    """Reads ``speaker/session/file`` or ``speaker/file``; no emotions.

    A video and an audio file whose paths differ only in the suffix are one clip.
    """

    name = "speaker-folders"
    path_pattern = r"(^|/)id\d{5}/[^/]+/\d+\.\w+$"
    info = CorpusInfo(
        title="Recordings in one folder per speaker (VoxCeleb layout)",
        license="as stated by their owner; VoxCeleb: CC BY 4.0 for its metadata",
        citation=(
            "For VoxCeleb: Nagrani, A., Chung, J. S., & Zisserman, A. (2017). VoxCeleb: a "
            "large-scale speaker identification dataset. INTERSPEECH 2017."
        ),
        url="https://www.robots.ox.ac.uk/~vgg/data/voxceleb/",
        tree=(
            "wav/\n"
            "  id10001/1zcIwhmdeo4/00001.wav    speaker/session/file\n"
            "  id10002/00001.wav                speaker/file"
        ),
        example="id10001/1zcIwhmdeo4/00001.wav",
        general=True,
    )

    def read(self, root: Path) -> Corpus:
        """Read the recordings below `root`."""
        files, problems = group_media(root, AUDIO_SUFFIXES | VIDEO_SUFFIXES, _assign)
        return self.collect(root, [_clip(*entry) for entry in files.items()], problems)


def _assign(place: Path) -> tuple[str, str] | str:
    if len(place.parts) < 2:
        return "The file is not in the folder of a speaker."
    return place.with_suffix("").as_posix(), media_kind(place)


def _clip(name: str, files: dict[str, Path]) -> Clip:
    return Clip(
        clip_id=name,
        speaker=name.split("/")[0],
        emotion=None,
        video=files.get("video"),
        audio=files.get("audio") or files.get("video"),
    )
