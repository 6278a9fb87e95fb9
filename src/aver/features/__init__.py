"""Frames and sound to arrays for models: one feature per file, cached by content."""
