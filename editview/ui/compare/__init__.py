"""Two orders side by side, fact by fact."""
