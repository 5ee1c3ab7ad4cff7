"""Knowledge editing: one method a file, target vectors shared."""
