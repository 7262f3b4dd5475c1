"""Reductions, scans, and what is built on them."""
