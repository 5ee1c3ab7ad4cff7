"""Which door: the window or the command line."""
