"""Recognizers: one package per system, the baselines, and what they share (base, data, layers)."""
