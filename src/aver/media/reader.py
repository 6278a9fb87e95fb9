"""The ways into a media file: what it holds, its pictures, its sound."""

from aver.media.frames import FrameReader, read_frames
from aver.media.inspection import MediaFacts, inspect_media
from aver.media.media_file import TruncatedMediaWarning
from aver.media.sound import SoundReader, read_sound, read_sound_blocks

__all__ = [
    "FrameReader",
    "MediaFacts",
    "SoundReader",
    "TruncatedMediaWarning",
    "inspect_media",
    "read_frames",
    "read_sound",
    "read_sound_blocks",
]
