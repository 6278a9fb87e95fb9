"""Which clips train, validate and test: rules that need names only, and JSON to read and cite."""

from aver.splits.rule import SplitRule, make_split, split_rules
from aver.splits.split import Fold, Split, check_split, load_split, save_split

__all__ = [
    "Fold",
    "Split",
    "SplitRule",
    "check_split",
    "load_split",
    "make_split",
    "save_split",
    "split_rules",
]
