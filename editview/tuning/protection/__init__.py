"""Ways to keep edits through a fine-tune, and to teach facts with it: each one switch, measured and never promised."""
