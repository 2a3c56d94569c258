"""The database: what happened, and what is still to do."""
