"""Opening and saving: checkpoints, fact sheets, plans."""
