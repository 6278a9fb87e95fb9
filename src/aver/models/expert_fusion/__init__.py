"""One calibrated classifier per modality, fused by coverage and distance to the training data."""
