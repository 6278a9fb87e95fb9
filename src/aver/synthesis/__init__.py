"""The synthetic corpus: filmed speech of invented people, written as real media files."""

from aver.synthesis.corpus import synthesize
from aver.synthesis.settings import SynthesisSettings

__all__ = ["SynthesisSettings", "synthesize"]
