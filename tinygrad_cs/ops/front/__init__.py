"""NumPy as the front door, and the methods of the nodes."""
