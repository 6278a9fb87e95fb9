"""MRPN, the multi-modal residual perceptron network of Chang and Skarbek 2021."""
