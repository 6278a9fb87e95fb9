"""Layers, batches and checkpoints that models share."""
