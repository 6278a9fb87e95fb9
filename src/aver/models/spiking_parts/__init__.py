"""Parts of the spiking recognisers: rates, layers, read-outs."""
