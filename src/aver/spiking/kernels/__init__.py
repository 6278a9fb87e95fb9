"""The compiled inner loops of the engine; importing them imports Numba."""
