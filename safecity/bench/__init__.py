"""``safecity bench``: what this costs, measured side by side. Packages add benches of their own."""
