"""Baselines: class shares, functionals with linear or kernel classifiers, late fusion."""
