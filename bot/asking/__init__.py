"""One question asked by hand: what would be said, on what grounds, and how long it took."""
