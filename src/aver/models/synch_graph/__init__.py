"""Synch-Graph, Mansouri-Benssassi and Ye 2020."""
