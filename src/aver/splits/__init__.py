"""Splits: which clips train, validate and test, by rules that need no media."""

from aver.splits.rule import SplitRule, default_split, make_split, on_validation, split_rules
from aver.splits.split import SUBSETS, Fold, Split, check_split, load_split, save_split

__all__ = [
    "SUBSETS",
    "Fold",
    "Split",
    "SplitRule",
    "check_split",
    "default_split",
    "load_split",
    "make_split",
    "on_validation",
    "save_split",
    "split_rules",
]
