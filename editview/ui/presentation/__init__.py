"""A run told to people in a room: full screen, one message a screen."""
