"""Two checkpoints side by side: what was done to the weights, and what became of the facts. A window of its own."""
