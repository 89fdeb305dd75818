"""Rare and zero events: methods that need no half added to an empty cell.

Two groups in each study: Mantel and Haenszel's ratio of risks with the variance of Greenland and Robins (1985), and Peto's odds
ratio (Yusuf et al. 1985). One group in each study: a random-effects logistic regression (binomial within studies, normal
between them; Stijnen, Hamza and Ozdemir 2010); where nobody or everybody had the event, the exact interval of Clopper and Pearson
for all people together. Which is taken when is written in `synthesis`; the order follows the Cochrane Handbook, section 10.4.4.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

#: Events and people of the treated, events and people of the control group.
Counts = tuple[float, float, float, float]
#: Points of the grid over standard normal deviations between studies, and its end.
_GRID, _END = 2001, 8.0


def mantel_haenszel(counts: Sequence[Counts]) -> tuple[float, float, list[float]] | None:
    """Return the logarithm of the ratio of risks, its standard error and the studies' weights; None where no ratio exists."""
    top = [a * n2 / (n1 + n2) for a, n1, _, n2 in counts]
    bottom = [b * n1 / (n1 + n2) for _, n1, b, n2 in counts]
    if not sum(top) > 0.0 or not sum(bottom) > 0.0:
        return None
    spread = sum((n1 * n2 * (a + b) - a * b * (n1 + n2)) / (n1 + n2) ** 2 for a, n1, b, n2 in counts)
    variance = spread / (sum(top) * sum(bottom))
    if not variance > 0.0:
        return None
    return math.log(sum(top) / sum(bottom)), math.sqrt(variance), bottom


def peto(counts: Sequence[Counts]) -> tuple[float, float, list[float]] | None:
    """Return the logarithm of Peto's odds ratio, its standard error and the studies' weights; None without any event."""
    excess, weights = 0.0, []
    for a, n1, b, n2 in counts:
        n, m = n1 + n2, a + b
        excess += a - n1 * m / n
        weights.append(n1 * n2 * m * (n - m) / (n**2 * (n - 1.0)) if n > 1.0 else 0.0)
    total = sum(weights)
    return (excess / total, 1.0 / math.sqrt(total), weights) if total > 0.0 else None


def pool_logits(events: Sequence[float], people: Sequence[float]) -> tuple[float, float, float]:
    """Return the logit of a share in the middle study, its standard error, and the variance between studies (maximum likelihood)."""
    import numpy as np
    from scipy import optimize

    x, n = np.asarray(events, dtype=float), np.asarray(people, dtype=float)
    grid = np.linspace(-_END, _END, _GRID)
    weight = np.exp(-0.5 * grid**2)
    weight /= weight.sum()

    def loss(mu: float, tau: float) -> float:
        logits = mu + tau * grid
        log_likelihood = x[:, None] * logits - n[:, None] * np.logaddexp(0.0, logits)
        most = log_likelihood.max(axis=1, keepdims=True)
        return -float(np.sum(most[:, 0] + np.log(np.exp(log_likelihood - most) @ weight)))

    middle = math.log((x.sum() + 0.5) / (n.sum() - x.sum() + 0.5))

    def best(tau: float) -> tuple[float, float]:
        minimum = optimize.minimize_scalar(
            lambda mu: loss(mu, tau), bounds=(middle - 10.0, middle + 10.0), method="bounded", options={"xatol": 1e-9}
        )
        return float(minimum.x), float(minimum.fun)

    # The likelihood is nearly flat where shares agree: the end of no variance is looked at by itself.
    minimum = optimize.minimize_scalar(
        lambda tau: best(tau)[1], bounds=(1e-6, 5.0), method="bounded", options={"xatol": 1e-7}
    )
    mu, least = best(0.0)
    tau = 0.0
    if minimum.fun < least - 1e-9:
        tau, mu = float(minimum.x), best(float(minimum.x))[0]
    return mu, _error(loss, mu, tau), tau**2


def _error(loss: Any, mu: float, tau: float) -> float:
    """Return the standard error from the curvature of the likelihood, with that of `tau` where it is not at its bound."""
    import numpy as np

    step = 1e-3
    across = (loss(mu + step, tau) - 2.0 * loss(mu, tau) + loss(mu - step, tau)) / step**2
    if tau < 2.0 * step:
        return 1.0 / math.sqrt(across)
    along = (loss(mu, tau + step) - 2.0 * loss(mu, tau) + loss(mu, tau - step)) / step**2
    corners = [loss(mu + i * step, tau + j * step) for i, j in ((1, 1), (1, -1), (-1, 1), (-1, -1))]
    both = (corners[0] - corners[1] - corners[2] + corners[3]) / (4.0 * step**2)
    table = np.array([[across, both], [both, along]])
    variance = float(np.linalg.inv(table)[0, 0]) if np.linalg.det(table) > 0.0 else 1.0 / across
    return math.sqrt(variance)


def exact_share_interval(events: float, people: float) -> tuple[float, float]:
    """Return the exact 95 % interval (Clopper and Pearson) of a share."""
    from scipy.stats import binomtest

    interval = binomtest(round(events), round(people)).proportion_ci()
    return float(interval.low), float(interval.high)
