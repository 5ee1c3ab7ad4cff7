"""Programs that measure. Each takes --json and then prints one JSON object as its last line."""
