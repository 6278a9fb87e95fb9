"""Every error that a user can meet.

Each message is one or more whole sentences: what is wrong, the value, what to do. The command
line prints the message on one line and exits with status 2.
"""

from collections.abc import Mapping


class AverError(Exception):
    """Base class of every error that `aver` raises on purpose."""


class CorpusError(AverError):
    """A corpus folder is missing, empty, or not laid out as its reader expects."""


class LabelError(AverError):
    """A label that no vocabulary knows, or labels that do not allow what was asked."""


class SplitError(AverError):
    """A split names a clip twice, an unknown clip, or leaks without saying so."""


class MediaError(AverError):
    """A file of video or sound is missing, empty, truncated, a pointer, or unreadable."""


class MissingModalityError(AverError):
    """A readable file lacks the picture, the sound or the face that was asked for.

    A recogniser answers from the modality that is left; this error is for those who asked for
    the missing one alone.
    """


class FeatureError(AverError):
    """A feature cannot be computed with these settings, or a track file does not fit."""


class SettingsError(AverError):
    """A setting, preset or name that is unknown or out of range."""


class ClipError(SettingsError):
    """Clips whose files are fine, but that a recogniser with these settings cannot take.

    Parameters
    ----------
    reasons : mapping of str to str
        By clip id: whole sentences, the last of which says what to do. The message is the first,
        with a count of the others.
    """

    def __init__(self, reasons: Mapping[str, str]) -> None:
        super().__init__(dict(reasons))  # whole, so that it comes through from worker processes
        self.reasons = dict(reasons)

    def __str__(self) -> str:
        first, *others = self.reasons.values()
        return f"{first} The same holds for {len(others)} more." if others else first


class CheckpointError(AverError):
    """A checkpoint of another version, with missing or foreign keys, or not one of ours."""


class StorageError(AverError):
    """A result could not be written: disk full, no permission."""


class WorkerError(AverError):
    """A worker process was killed or could not start."""


class TrainingInterrupted(AverError):  # noqa: N818 - an interruption, not a fault
    """Training was stopped by the user; what was reached is kept and can be resumed."""


class SimulationError(AverError):
    """A simulation cannot run as asked, or ran away."""
