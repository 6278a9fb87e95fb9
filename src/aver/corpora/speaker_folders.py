"""Recordings in one folder per speaker, as in VoxCeleb: for pretraining on who speaks."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from aver.corpora.clip import Clip
from aver.corpora.corpus import Corpus, CorpusInfo, CorpusReader, Problem
from aver.corpora.files import AUDIO_SUFFIXES, VIDEO_SUFFIXES, find_media


@dataclass(frozen=True)
class SpeakerFolders(CorpusReader):
    """Reads ``speaker/session/file`` or ``speaker/file``; no emotions.

    A video and a sound file with the same path but for the suffix are one clip.
    """

    name = "speaker-folders"
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
    )

    def read(self, root: Path) -> Corpus:
        """Read the recordings below `root`."""
        found = find_media(root, AUDIO_SUFFIXES | VIDEO_SUFFIXES)
        problems = list(found.problems)
        recordings: dict[str, dict[str, Path]] = {}
        for path in found.files:
            place = path.relative_to(root)
            if len(place.parts) < 2:
                problems.append(Problem(place.as_posix(), "The file is in no speaker's folder."))
                continue
            kind = "audio" if path.suffix.lower() in AUDIO_SUFFIXES else "video"
            files = recordings.setdefault(place.with_suffix("").as_posix(), {})
            if kind in files:
                kept = files[kind].relative_to(root).as_posix()
                problems.append(
                    Problem(place.as_posix(), f"A second copy of {kept}, which is used.")
                )
            else:
                files[kind] = path
        clips = [
            Clip(
                clip_id=name,
                speaker=name.split("/")[0],
                emotion=None,
                video=files.get("video"),
                audio=files.get("audio") or files.get("video"),
            )
            for name, files in recordings.items()
        ]
        return self.collect(root, clips, problems)
