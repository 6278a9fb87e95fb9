"""What all recognizers share: the interface, checkpoints, predictions, presets."""
