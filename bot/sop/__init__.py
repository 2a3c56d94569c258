"""The SOP room: script files, what is wrong with them, and their runs."""
