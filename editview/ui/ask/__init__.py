"""A prompt of the user's own, answered by any two stages."""
