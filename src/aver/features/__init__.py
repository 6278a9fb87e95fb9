"""From clips to arrays for models: one feature per file, cached by content and settings."""
