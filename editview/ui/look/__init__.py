"""How everything looks: theme, style, icons, and the pieces that several panels are made of."""
