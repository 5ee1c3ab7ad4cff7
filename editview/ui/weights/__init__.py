"""Where in the model each step wrote."""
