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
