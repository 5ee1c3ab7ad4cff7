"""The window itself: its frame, its actions, its errors, and what it remembers."""
