"""Readers for files that the user has: nothing is downloaded, nothing pickled is opened.

Every one of them returns what the file holds or raises `DataFileError`; no file, however damaged
or hostile, makes them ask for more memory than it could fill.
"""

from .cifar import read_cifar10, read_cifar100
from .csv_table import read_csv
from .errors import DataFileError
from .idx import read_fashion_mnist, read_idx, read_mnist
from .image_folder import read_image_folder
from .netpbm import read_netpbm
from .numpy_files import read_npy, read_npz
from .table import Column, Table

__all__ = [
    "Column",
    "DataFileError",
    "Table",
    "read_cifar10",
    "read_cifar100",
    "read_csv",
    "read_fashion_mnist",
    "read_idx",
    "read_image_folder",
    "read_mnist",
    "read_netpbm",
    "read_npy",
    "read_npz",
]
