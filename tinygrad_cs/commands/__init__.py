"""The commands of `python -m tinygrad_cs`, one a file: each adds its parser and does its work."""
