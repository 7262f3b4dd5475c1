"""Augmentation: batches of images changed at random in ways that leave their meaning alone."""

from .affine import RandomAffine
from .augmentation import Augmentation
from .averaging import average_views
from .color import ColorJitter
from .compose import Compose
from .crops import RandomCrop, RandomResizedCrop
from .cutout import Cutout
from .flips import RandomHorizontalFlip, RandomVerticalFlip
from .mixing import CutMix, Mixup
from .noise import GaussianNoise
from .principal_colors import PCAColorJitter
from .resizing import center_crop, resize
from .views import FiveCrop, FlipViews, ScaleViews, TenCrop

__all__ = [
    "Augmentation",
    "ColorJitter",
    "Compose",
    "CutMix",
    "Cutout",
    "FiveCrop",
    "FlipViews",
    "GaussianNoise",
    "Mixup",
    "PCAColorJitter",
    "RandomAffine",
    "RandomCrop",
    "RandomHorizontalFlip",
    "RandomResizedCrop",
    "RandomVerticalFlip",
    "ScaleViews",
    "TenCrop",
    "average_views",
    "center_crop",
    "resize",
]
