"""The synthetic corpus: filmed speech of invented people, written as real media files."""

from aver.synthesis.settings import SynthesisSettings
from aver.synthesis.synthesise import synthesise

__all__ = ["SynthesisSettings", "synthesise"]
