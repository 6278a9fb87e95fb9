"""Parts of networks and classifiers that several models use."""
