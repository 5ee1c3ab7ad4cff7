"""How many facts outlive the training, live."""
