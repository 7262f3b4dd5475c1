"""Shorter programs that give the same numbers, and a place in memory for every result."""
