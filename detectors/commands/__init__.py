"""``safecity models``: a command a file."""
