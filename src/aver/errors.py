"""The errors that `aver` raises.

Each message is one or more whole sentences: what is wrong, the value, what to do. The command
line prints the message on one line and exits with status 2.
"""

from collections.abc import Mapping


class AverError(Exception):
    """Base class of all errors of `aver`."""


class CorpusError(AverError):
    """A corpus folder is missing, empty, or does not have the layout that its reader expects."""


class LabelError(AverError):
    """An unknown label, or labels that do not allow the task."""


class SplitError(AverError):
    """A split has an unknown clip, a clip twice, or a leak that it does not declare."""


class MediaError(AverError):
    """A media file is missing, empty, truncated, a Git LFS pointer, or unreadable."""


class MissingModalityError(AverError):
    """A readable file lacks the video, the audio or the face that was requested.

    Recognizers predict from the other modality; this error is for callers that need the missing
    one.

    Parameters
    ----------
    message : str
    flag : str
        What predictions from the other modality are flagged with; empty if the file simply has no
        such stream.
    """

    def __init__(self, message: str, flag: str = "") -> None:
        super().__init__(message, flag)
        self.flag = flag

    def __str__(self) -> str:
        return str(self.args[0])


class FeatureError(AverError):
    """A feature cannot be computed with these settings, or a track file does not match."""


class SettingsError(AverError):
    """A setting, preset or name is unknown or out of range."""


class ClipError(SettingsError):
    """Clips with intact files that a recognizer with these settings cannot process.

    Parameters
    ----------
    reasons : mapping of str to str
        By clip id: whole sentences, the last of which says what to do. The message is the first
        reason and the number of other clips.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(dict(reasons))  # not only the text, so that it can be pickled
        self.reasons = dict(reasons)

    def __str__(self) -> str:
        first, *others = self.reasons.values()
        return f"{first} This holds for {len(others)} more clips." if others else first


class CheckpointError(AverError):
    """A checkpoint of another version, with missing or unknown keys, or of another program."""


class StorageError(AverError):
    """A result could not be written: disk full, no permission."""


class WorkerError(AverError):
    """A worker process was killed or could not start."""


class TrainingInterrupted(AverError):  # noqa: N818 - an interruption, not a fault
    """The user stopped a training; its state is saved and it can be resumed."""


class SimulationError(AverError):
    """A simulation cannot run with these settings, or diverged."""
