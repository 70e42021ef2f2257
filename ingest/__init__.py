"""The edge: from a camera's packets to events on the bus."""
