"""Trains networks on face images and on speech, to start the training of recognizers from."""
