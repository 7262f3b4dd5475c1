"""Principal components of the data: rotated to them, and whitened along them or back in place."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...engine.errors import ArgumentError
from ...engine.types import Array, Shape
from .decorrelating import Decorrelating, check_eps


class PCA(Decorrelating):
    """Principal component analysis: z = (x - mean) V, with the components as columns of V.

    K. Pearson, 1901; H. Hotelling, 1933. The components are the eigenvectors of the covariance;
    along them the data is uncorrelated, and the first k of them keep as much of its variance as
    any k directions can. With `whiten=True` every component is divided by its deviation,
    z / sqrt(variance + eps): the covariance becomes the identity.

    Args:
        n_components: how many to keep, an integer of at most min(n, d); a share in (0, 1) of the
            variance that the components kept are to explain; None (default): min(n, d).
        whiten: whether components are scaled to variance 1 (default False).
        eps: added to the variances before they are divided by (default 1e-5, for pixels of 0 to
            1), the strength of smoothing; 0 whitens exactly. Ignored without `whiten`.

    Data (n, ...) is flattened to (n, d); results are (n, k). Components without variance
    (constant or dependent features) become 0 in whitening.

    What goes wrong: whitening gives directions of nearly no variance, mostly noise, the weight of
    all others; a larger `eps` prevents it (lectures CS231n). Features in different units want a
    `Standardizer` before. Raises `ArgumentError` for other arguments, and for more components
    than the data allows: in `fit`, and after `partial_fit` when they are first needed.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 3))
        >>> z = tg.data.PCA(2, whiten=True, eps=0).fit_transform(x)
        >>> np.cov(z.T, bias=True).round(6) + 0
        array([[1., 0.],
               [0., 1.]])
    """

    def __init__(
        self, n_components: float | None = None, whiten: bool = False, eps: float = 1e-5
    ) -> None:
        super().__init__()
        check_eps("PCA", eps)
        whole = isinstance(n_components, (int, np.integer)) and not isinstance(n_components, bool)
        share = isinstance(n_components, (float, np.floating)) and 0 < n_components < 1
        if n_components is not None and not (share or (whole and n_components >= 1)):
            raise ArgumentError(
                f"PCA: expected n_components to be an integer >= 1, a share in (0, 1) or None, "
                f"got {n_components!r}"
            )
        self.n_components = n_components
        self.whiten = whiten
        self.eps = eps

    def _learn(self, method: str, x: Any, statistics: Any) -> None:
        super()._learn(method, x, statistics)
        if method == "fit":
            try:
                self._decomposition()
            except ArgumentError:
                self._forget()
                raise

    def _limit(self, variances: Array, samples: int) -> int:
        most = min(len(variances), samples)
        if self.n_components is None:
            return most
        if self.n_components < 1:
            shares = variances.cumsum() / (variances.sum() or 1.0)
            return min(most, int(np.searchsorted(shares, self.n_components)) + 1)
        if self.n_components > most:
            raise ArgumentError(
                f"PCA: expected n_components <= {most}, as the fitted data are {samples} samples "
                f"of {len(variances)} features, got {self.n_components}"
            )
        return int(self.n_components)

    def _output_shape(self) -> Shape | None:
        found = self._decomposition()
        return None if found is None else (len(found[1]),)

    def _made(self, name: str) -> Array:
        found = self._decomposition()
        assert found is not None
        mean, axes = found[:2]
        if name == "mean":
            return mean
        if name == "forward":
            return axes.T * self._scales(-0.5) if self.whiten else axes.T
        return axes * self._scales(0.5)[:, None] if self.whiten else axes


class ZCA(Decorrelating):
    """Whitening that changes the data least: z = (x - mean) V (variances + eps)^(-1/2) Vᵀ.

    A. Bell and T. Sejnowski, The "independent components" of natural scenes are edge filters,
    1997. As whitened PCA, rotated back: the covariance becomes the identity (for eps = 0), and
    whitened images still look like images, with their edges sharpened. Shapes stay.

    Args:
        eps: added to the variances (default 1e-5, for pixels of 0 to 1); larger smooths more, 0
            whitens exactly. Images commonly take 1e-3 to 1e-1.

    Directions without variance become 0.

    What goes wrong: as with `PCA(whiten=True)`: a small `eps` exaggerates noise. Raises
    `ArgumentError` for eps < 0.

    Example:
        >>> import numpy as np, tinygrad_cs as tg
        >>> rng = np.random.default_rng(0)
        >>> x = rng.normal(size=(500, 2)) @ rng.normal(size=(2, 2))
        >>> np.cov(tg.data.ZCA(eps=0).fit_transform(x).T, bias=True).round(6) + 0
        array([[1., 0.],
               [0., 1.]])
    """

    def __init__(self, eps: float = 1e-5) -> None:
        super().__init__()
        check_eps("ZCA", eps)
        self.eps = eps

    def _made(self, name: str) -> Array:
        found = self._decomposition()
        assert found is not None
        mean, axes = found[:2]
        if name == "mean":
            return mean
        return axes.T * self._scales(-0.5 if name == "forward" else 0.5) @ axes

    def _load_problem(self, axes: Array, variances: Array) -> str:
        if axes.shape[0] != axes.shape[1]:
            return f"expected all components, of shape (d, d), got {axes.shape}"
        return super()._load_problem(axes, variances)
