"""The plan at the left: cards, their order and their forms."""
