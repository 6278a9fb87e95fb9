"""Networks that features and models share, and where their pretrained weights come from."""
