"""EditView: which edited facts survive when a language model is fine-tuned, and which are lost, at which step."""

__version__ = "0.1.0"
