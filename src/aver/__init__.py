"""Audio-video emotion recognition with evidence that anyone can check.

The verbs of the command line, from Python:

- `open_corpus`: a folder of clips, read without opening any media;
- `train`: fit one recogniser on one fold;
- `evaluate`: fit and test on every fold, with baselines and intervals;
- `load`: a trained recogniser from its run folder;
- `predict`: answers for files of one's own;
- `robustness`: the same recognisers on worse sound and pictures;
- `report`: one page, a model card and all tables on finished runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aver.version import __version__

if TYPE_CHECKING:
    from aver.api import evaluate, load, predict, report, robustness, train
    from aver.corpora import open_corpus

__all__ = [
    "__version__",
    "evaluate",
    "load",
    "open_corpus",
    "predict",
    "report",
    "robustness",
    "train",
]


def __getattr__(name: str) -> Any:
    """Import a verb when it is first used, so that ``import aver`` costs nothing."""
    if name not in __all__:
        raise AttributeError(f"module 'aver' has no attribute {name!r}")
    from aver import api

    return getattr(api, name)
