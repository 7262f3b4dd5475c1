"""Places for the boxes of a directed graph, in layers.

The four steps of K. Sugiyama, S. Tagawa and M. Toda, "Methods for Visual Understanding of
Hierarchical System Structures" (1981): a layer for every box (`layers.py`), points by which long
arrows pass the layers between (`segments.py`), an order within the layers with few crossings
(`crossings.py`), coordinates (`coordinates.py`). Nothing here is recursive, so that a chain of a
hundred thousand boxes is a long picture and no error.
"""

from .arrange import Layout, arrange

__all__ = ["Layout", "arrange"]
