"""Parts of Synch-Graph: two spiking modalities, their synchrony as graphs, a graph network."""
