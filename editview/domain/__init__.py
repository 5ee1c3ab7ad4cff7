"""What EditView talks about: facts, operations, plans, verdicts, changes, events. Plain data, no torch, no Qt."""
