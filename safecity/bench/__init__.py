"""``safecity bench``: what things cost, measured side by side. Packages add benches of their own."""
