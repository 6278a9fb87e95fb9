"""The synthetic corpus: filmed speech of invented people, written as real media files."""

from aver.synthesis.corpus import synthesize
from aver.synthesis.settings import SynthesisSettings

synthesise = synthesize  # its name in version 0.1  # codespell:ignore

__all__ = ["SynthesisSettings", "synthesize"]
