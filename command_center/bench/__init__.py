"""``safecity bench centre``: how fast events get into the store, and out of it."""
