"""A script as one picture to hang on a wall."""
