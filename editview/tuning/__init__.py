"""Fine-tuning: methods, data, live checks."""
