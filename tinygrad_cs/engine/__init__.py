"""The engine: records, nodes, the calling path and the backward pass."""
