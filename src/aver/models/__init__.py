"""One paper, one file that reads like the paper; baselines; parts."""
