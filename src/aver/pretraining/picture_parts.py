"""`split_pictures`: the parts of a corpus of pictures, where they can teach, choose and test."""

from __future__ import annotations

from aver.corpora.corpus import Corpus
from aver.corpora.media_files import IMAGE_SUFFIXES
from aver.emotions import in_canonical_order
from aver.errors import LabelError, MediaError, SplitError
from aver.splits import make_split
from aver.splits.split import PARTS, Split

PURPOSES = {"train": "to learn from", "validation": "to choose by", "test": "to test with"}
"""What pictures of each part are for."""


def split_pictures(corpus: Corpus) -> Split:
    """Take the parts that the corpus's authors made.

    Names and labels are looked at before pictures are compared, which takes minutes.

    Parameters
    ----------
    corpus : Corpus
        Of pictures with emotions, such as FER2013.

    Raises
    ------
    SplitError
        If a part is empty.
    MediaError
        If a clip of a part is no picture.
    LabelError
        If one has no emotion, training has fewer than two, or another part has one that training
        lacks.
    """
    words: dict[str, set[str]] = {}
    for part in PARTS:
        clips = [clip for clip in corpus if clip.part == part]
        if not clips:
            raise SplitError(
                f"{corpus.label} at {corpus.root} has no picture in the part {part}, so none "
                f"{PURPOSES[part]}. Parts are the folders {', '.join(PARTS)}, or the names of "
                "FER2013 (Training_, PublicTest_, PrivateTest_)."
            )
        for clip in clips:
            if clip.video is None or clip.video.suffix.lower() not in IMAGE_SUFFIXES:
                raise MediaError(f"Clip {clip.clip_id} of {corpus.label} is no picture.")
            if clip.emotion is None:
                raise LabelError(f"The picture {clip.clip_id} of {corpus.label} has no emotion.")
        words[part] = {str(clip.emotion) for clip in clips}
    if len(words["train"]) < 2:
        raise LabelError(
            f"All pictures of {corpus.label} to learn from are {next(iter(words['train']))}; a "
            "network needs at least two emotions."
        )
    unknown = in_canonical_order((words["validation"] | words["test"]) - words["train"])
    if unknown:
        raise LabelError(
            f"{corpus.label} has {', '.join(unknown)} in validation or test, and not in training. "
            "Leave such pictures out (--emotions), or add some to training."
        )
    return make_split(corpus, "official")
