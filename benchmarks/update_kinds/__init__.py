"""Whether the kind of an update is told rightly, judged on updates made with EditView's own operations."""
