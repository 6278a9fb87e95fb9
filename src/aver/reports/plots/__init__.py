"""Plots of results, one kind per file; matplotlib is imported when one is drawn."""
