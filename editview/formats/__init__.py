"""Files in and out: plans, fact sheets, training data. No torch, no Qt."""
