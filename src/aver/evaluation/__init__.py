"""Evidence: metrics, intervals that respect speakers, paired tests, experiments, reproduction."""
