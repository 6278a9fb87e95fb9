"""Where work runs: this process, local processes; progress; files written whole."""
