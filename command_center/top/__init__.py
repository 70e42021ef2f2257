"""``safecity top``: how the whole city fares, in a terminal."""
