"""Temporal aggregation of audio-visual modalities, Birhala et al. 2020."""
