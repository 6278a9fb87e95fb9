"""Fits any torch module: knows tasks, batches and losses, and no model by name."""
