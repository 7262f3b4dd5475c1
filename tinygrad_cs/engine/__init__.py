"""The engine: records, nodes, the calling path and the backward pass."""

from .allocation import keep_freed_memory

keep_freed_memory()
