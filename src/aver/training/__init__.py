"""Trains any torch module: tasks, batches and losses, but no model by name."""
