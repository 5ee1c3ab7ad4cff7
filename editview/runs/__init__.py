"""Carries a plan out: runner, stage store, forecast."""
