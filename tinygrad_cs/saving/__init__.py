"""States in files: written whole or not at all, read without trust, kept by age and score."""

from .checkpoints import Checkpoint, Checkpoints
from .errors import ModelFileError
from .files import FileInfo, inspect, load, save

__all__ = ["Checkpoint", "Checkpoints", "FileInfo", "ModelFileError", "inspect", "load", "save"]
