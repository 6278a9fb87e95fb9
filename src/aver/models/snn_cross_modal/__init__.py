"""Spiking networks with early cross-modal enhancement, Mansouri-Benssassi and Ye 2019."""
