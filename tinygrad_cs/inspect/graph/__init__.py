"""What drawings and explanations know of a graph: its nodes, their names, values and gradients."""
