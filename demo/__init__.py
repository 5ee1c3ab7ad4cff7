"""The built-in demo: programs that make its model, its fact sheet and its data, and measure them.

`python -m demo.sheet` writes the fact sheet and the texts, `python -m demo.train` trains the model,
`python -m demo.quality` measures what the model's card claims. None of this is needed to run EditView.
"""
