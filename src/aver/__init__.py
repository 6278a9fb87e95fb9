"""Audio-video emotion recognition with evidence that anyone can check."""

__version__ = "0.1.0"
