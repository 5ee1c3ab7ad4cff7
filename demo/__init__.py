"""The built-in demo: programs that make its model, its fact sheet and its data, and measure them.

`python -m demo` makes all of it. In parts: `demo.sheet` writes the fact sheet and the texts, `demo.train` trains the
model, `demo.quality` measures what the model's card claims. None of this is needed to run EditView.
"""
