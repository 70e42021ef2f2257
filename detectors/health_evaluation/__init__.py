"""How well faults of cameras are found: runs made from real footage, and the score."""
