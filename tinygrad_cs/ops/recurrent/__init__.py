"""Recurrences over whole sequences: each one record, with its pass backward through time."""
