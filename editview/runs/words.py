"""Any error as a sentence for everyone and details for the specialist."""

from __future__ import annotations

import traceback

from editview.domain.errors import EditViewError, is_out_of_memory


def in_words(error: BaseException) -> tuple[str, str]:
    """Sentence and details."""
    if isinstance(error, EditViewError):
        return str(error), error.details
    details = "".join(traceback.format_exception(error))
    if is_out_of_memory(error):
        return (
            "The memory ran out. What was finished before is kept. Choose a smaller batch size, shorter examples or a "
            "smaller model, or close other programs, and run again.",
            details,
        )
    if isinstance(error, OSError):
        reason = f" ({error.strerror.lower()})" if error.strerror else ""
        what = f" *{error.filename}*" if error.filename else ""
        return f"A file{what} couldn't be read or written{reason}. What was finished before is kept.", details
    return (
        "Something unexpected went wrong inside EditView. What was finished before is kept, and you can run again; if "
        "it happens again, please report it with the details.",
        details,
    )
