"""The facts in the middle: headline, live table, and the fact that is opened."""
