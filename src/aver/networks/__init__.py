"""Networks that features and models share, and their pretrained weights."""
