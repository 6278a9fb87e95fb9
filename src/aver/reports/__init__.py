"""Tables, plots and one-file HTML pages of results."""
