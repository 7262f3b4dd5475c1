"""Elementwise operations: entry i of the output depends on entry i of the operands."""
