"""Ways in which people write splits down: JSON, tables, lists per part, folders, Kaldi."""
