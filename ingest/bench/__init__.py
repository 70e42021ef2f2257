"""``safecity bench density``: cameras a core, beside what every saving costs in events."""
