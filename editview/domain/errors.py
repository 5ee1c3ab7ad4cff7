"""Errors as sentences: what happened, what it means and what to do, for a person to read."""


class EditViewError(Exception):
    """Something went wrong that a person can understand and act on.

    `str(error)` is one sentence or two, shown as they are. `details` is for the specialist, behind *Details*.
    """

    def __init__(self, sentence: str, details: str = "") -> None:
        super().__init__(sentence)
        self.details = details


class Cancelled(Exception):
    """Raised inside a job when the user pressed Stop; the job unwinds and leaves everything usable."""


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class of its own for it; the allocators of the CPU and of Apple's GPUs only say so."""
    words = ("can't allocate memory", "not enough memory", "out of memory")
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":  # torch's, without importing it
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in words)
