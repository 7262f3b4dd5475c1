"""Adam and its relatives: momentum, divided by the recent size of each gradient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..engine.types import np
from .block import Piece, blend
from .groups import check_betas, check_not_negative, check_switch
from .optimizer import Optimizer

__all__ = ["Adam", "AdamW", "Adamax", "NAdam"]


class Adam(Optimizer):
    """Adam: momentum, scaled by the recent size of each gradient, both corrected for their start.

        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr (m / (1 - beta1^t)) / (sqrt(v / (1 - beta2^t)) + eps)

    Kingma and Ba 2015; amsgrad (Reddi, Kale and Kumar 2018) divides by the largest v so far, so
    that a rare large gradient is not forgotten. Weight decay goes through the division too and
    shrinks weights with large gradients less than others: AdamW decays them all alike.

    The state holds m / (1 - beta1) and v / (1 - beta2), which saves two passes over the parameters.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-3).
        betas: how much of m and of v is kept each step (default 0.9 and 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        amsgrad: divides by the largest v so far (default False).
        maximize: climbs instead of descending (default False).
        decoupled_weight_decay: decays as AdamW does (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Adam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.9], dtype=float32)
    """

    threads = True
    switch = "amsgrad"

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
        decoupled_weight_decay: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "amsgrad": amsgrad,
            "maximize": maximize,
            "decoupled_weight_decay": decoupled_weight_decay,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; betas in [0, 1)."""
        name = type(self).__name__
        check_not_negative(name, group, "lr", "eps", "weight_decay")
        check_betas(name, group)
        check_switch(name, group, "amsgrad", "maximize", "decoupled_weight_decay")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """Both moments, and with amsgrad the largest second one."""
        state = {"m": 0.0, "v": 0.0}
        return state | {"largest_v": 0.0} if group["amsgrad"] else state

    def first_count(self, group: dict[str, Any]) -> Any:
        """See `advance`."""
        return 0, group["betas"], group["betas"]

    def advance(self, group: dict[str, Any], count: Any) -> Any:
        """The step, its betas, and the factors of m and v: beta, if the scale of the state stays.

        A schedule that changes betas changes the scale 1 / (1 - beta) too.
        """
        step, before, _ = count
        betas = group["betas"]
        if before is None or before == betas:
            return step + 1, betas, betas
        keep = [b * (1 - old) / (1 - b) for b, old in zip(betas, before, strict=True)]
        return step + 1, betas, keep

    def update(self, group: dict[str, Any], count: Any, piece: Piece) -> None:
        """See the class."""
        step, (beta1, beta2), (keep1, keep2) = count
        w, scratch = piece.w, piece.scratch[0]
        m, v = piece.state["m"], piece.state["v"]
        decay = group["weight_decay"]
        g = piece.gradient(group, decay and _decay_of_gradient(group, w))
        np.multiply(m, keep1, m)
        np.add(m, g, m)
        np.multiply(v, keep2, v)
        np.multiply(g, g, scratch)
        np.add(v, scratch, v)
        if group["amsgrad"]:
            largest = piece.state["largest_v"]
            np.multiply(v, 1 - beta2, scratch)
            np.maximum(largest, scratch, out=largest)
            v = np.divide(largest, 1 - beta2, scratch)
        # lr m^ / (sqrt(v^) + eps), with m^ = a m and sqrt(v^) = b sqrt(v): one factor a / b
        a = (1 - beta1) / (1 - beta1**step)
        b = ((1 - beta2) / (1 - beta2**step)) ** 0.5
        np.sqrt(v, scratch)
        np.add(scratch, group["eps"] / b, scratch)
        np.divide(m, scratch, scratch)
        np.multiply(scratch, group["lr"] * a / b, scratch)
        np.subtract(w, scratch, w)


def _decay_of_gradient(group: dict[str, Any], w: Any) -> float:
    """The weight decay that goes into g: none where it is decoupled, then w itself shrinks here."""
    decay: float = group["weight_decay"]
    if not group["decoupled_weight_decay"]:
        return decay
    np.multiply(w, 1 - group["lr"] * decay, w)
    return 0.0


class AdamW(Adam):
    """Adam with weight decay beside the gradient, not in it.

        w <- (1 - lr weight_decay) w
        and then as Adam, without weight decay in g

    Loshchilov and Hutter 2019. Every weight shrinks by the same factor, whatever its gradients.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 1e-3).
        betas: how much of m and of v is kept each step (default 0.9 and 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: how fast weights shrink, times lr (default 1e-2).
        amsgrad: divides by the largest v so far (default False).
        maximize: climbs instead of descending; weights shrink all the same (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.AdamW([w], lr=0.1, weight_decay=0.5)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.85], dtype=float32)
    """

    def __init__(
        self,
        params: Any,
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
        amsgrad: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        super().__init__(
            params,
            lr,
            betas,
            eps,
            weight_decay,
            amsgrad,
            maximize=maximize,
            decoupled_weight_decay=True,
        )


class Adamax(Optimizer):
    """Adamax: Adam with the largest recent gradient in place of the root of the mean square.

        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        u <- max(beta2 u, |g| + eps)
        w <- w - lr / (1 - beta1^t) m / u

    Kingma and Ba 2015, section 7: Adam's rule for the p-norm, as p grows. No step is longer than
    about lr, and u needs no correction for its start.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 2e-3).
        betas: how much of m and of u is kept each step (default 0.9 and 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.Adamax([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.9], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; betas in [0, 1)."""
        check_not_negative("Adamax", group, "lr", "eps", "weight_decay")
        check_betas("Adamax", group)
        check_switch("Adamax", group, "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """The first moment and the largest recent gradient."""
        return {"m": 0.0, "u": 0.0}

    def update(self, group: dict[str, Any], count: int, piece: Piece) -> None:
        """See the class."""
        w, scratch, m, u = piece.w, piece.scratch[0], piece.state["m"], piece.state["u"]
        beta1, beta2 = group["betas"]
        g = piece.gradient(group, group["weight_decay"])
        blend(m, g, beta1, scratch)
        np.multiply(u, beta2, u)
        np.abs(g, scratch)
        np.add(scratch, group["eps"], scratch)
        np.maximum(u, scratch, out=u)
        np.divide(m, u, scratch)
        np.multiply(scratch, group["lr"] / (1 - beta1**count), scratch)
        np.subtract(w, scratch, w)


class NAdam(Optimizer):
    """NAdam: Adam that looks ahead along its momentum, as Nesterov does.

        b_t <- beta1 (1 - 0.96^(t momentum_decay) / 2),  B_t <- b_1 b_2 ... b_t
        g <- g + weight_decay w
        m <- beta1 m + (1 - beta1) g
        v <- beta2 v + (1 - beta2) g^2
        w <- w - lr ((1 - b_t) / (1 - B_t) g + b_(t+1) / (1 - B_(t+1)) m)
                 / (sqrt(v / (1 - beta2^t)) + eps)

    Dozat 2016. The momentum b_t warms up from about beta1 / 2 to beta1.

    Args:
        params: parameters, or a list of groups.
        lr: learning rate (default 2e-3).
        betas: how much of m and of v is kept each step (default 0.9 and 0.999).
        eps: keeps the division finite (default 1e-8).
        weight_decay: adds weight_decay * w to the gradient (default 0).
        momentum_decay: how fast the momentum warms up (default 4e-3).
        decoupled_weight_decay: shrinks w itself instead, as AdamW does (default False).
        maximize: climbs instead of descending (default False).

    Example:
        >>> import tinygrad_cs as tg
        >>> w = tg.tensor([1.0], requires_grad=True)
        >>> optimizer = tg.optim.NAdam([w], lr=0.1)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> w.data.round(4)
        array([0.8944], dtype=float32)
    """

    threads = True

    def __init__(
        self,
        params: Any,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum_decay: float = 4e-3,
        decoupled_weight_decay: bool = False,
        *,
        maximize: bool = False,
    ) -> None:
        defaults = {
            "lr": lr,
            "betas": betas,
            "eps": eps,
            "weight_decay": weight_decay,
            "momentum_decay": momentum_decay,
            "decoupled_weight_decay": decoupled_weight_decay,
            "maximize": maximize,
        }
        super().__init__(params, defaults)

    def check(self, group: dict[str, Any]) -> None:
        """Nothing below zero; betas in [0, 1)."""
        check_not_negative("NAdam", group, "lr", "eps", "weight_decay", "momentum_decay")
        check_betas("NAdam", group)
        check_switch("NAdam", group, "decoupled_weight_decay", "maximize")

    def state_of(self, group: dict[str, Any]) -> Mapping[str, float]:
        """Both moments."""
        return {"m": 0.0, "v": 0.0}

    def first_count(self, group: dict[str, Any]) -> Any:
        """See `advance`."""
        return 0, 1.0

    def advance(self, group: dict[str, Any], count: Any) -> Any:
        """The step, and the product of all momenta up to it."""
        step, product = count
        return step + 1, product * self._momentum(group, step + 1)

    def _momentum(self, group: dict[str, Any], step: int) -> float:
        warming: float = 0.96 ** (step * group["momentum_decay"])
        beta1: float = group["betas"][0]
        return beta1 * (1 - warming / 2)

    def update(self, group: dict[str, Any], count: Any, piece: Piece) -> None:
        """See the class."""
        step, product = count
        w, (scratch, ahead, _) = piece.w, piece.scratch
        m, v = piece.state["m"], piece.state["v"]
        (beta1, beta2), lr = group["betas"], group["lr"]
        now, following = self._momentum(group, step), self._momentum(group, step + 1)
        decay = group["weight_decay"]
        g = piece.gradient(group, decay and _decay_of_gradient(group, w))
        blend(m, g, beta1, scratch)
        np.multiply(g, g, scratch)
        blend(v, scratch, beta2, scratch)
        np.multiply(g, lr * (1 - now) / (1 - product), ahead)
        np.multiply(m, lr * following / (1 - product * following), scratch)
        np.add(ahead, scratch, ahead)
        np.divide(v, 1 - beta2**step, scratch)
        np.sqrt(scratch, scratch)
        np.add(scratch, group["eps"], scratch)
        np.divide(ahead, scratch, scratch)
        np.subtract(w, scratch, w)
