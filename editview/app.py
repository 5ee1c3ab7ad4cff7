"""Builds the window, the jobs and the session once and wires them; the only place that knows all rooms."""
