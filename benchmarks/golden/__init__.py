"""Hold EditView against what the public reference programs of MEMIT, AlphaEdit and ROME computed."""
