"""Cross-attention between modalities, after Tsai et al. 2019."""
