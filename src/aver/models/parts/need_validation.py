"""`need_validation`: networks stop and choose by clips that they do not learn from."""

from __future__ import annotations

from collections.abc import Sequence

from aver.corpora.clip import Clip
from aver.errors import LabelError


def need_validation(validation: Sequence[Clip]) -> None:
    """Refuse to train without validation clips.

    Raises
    ------
    LabelError
        If there are none; it says which splits have some.
    """
    if not validation:
        raise LabelError(
            "There is no validation clip; the choice of the epoch needs some. Take a split that "
            "has them: for the rule 'random' shares=60/20/20, or validation=test, which LEAKS; for "
            "any other its default, validation=nested."
        )
