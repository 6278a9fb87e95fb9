"""What each paper's tables and figures are; one paper per file."""
