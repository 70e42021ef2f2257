"""``safecity bench``: what this costs, measured side by side in one run. Packages add benches of their own."""
