"""Pretraining: faces from pictures, voices from speakers, before a corpus of clips is seen."""
