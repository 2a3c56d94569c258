"""The engine of runs: what it promises, for random scripts, events and crashes."""
