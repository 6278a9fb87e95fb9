"""From features of clips to batches."""
