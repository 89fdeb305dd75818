"""How effects become one: random effects, the common effect of two studies, and models for rare events.

Unless a method is named, it is chosen by the data:

- groups by themselves of whom nobody or everybody had the event: a random-effects logistic regression, or for one group, or
  where all groups are like that, the exact share of all people (`rare`);
- comparisons of counts with an empty cell: Mantel and Haenszel's risk ratio without any half added, or Peto's odds ratio where
  that does not exist;
- two studies: their average, weighted by inverse variance, with the normal interval. It is the effect in these two and says
  nothing of other studies (Rice, Higgins and Lumley 2018, doi:10.1111/rssa.12275, abstract read). The variance between two studies cannot be estimated,
  and Knapp and Hartung's interval rests on one degree of freedom (recalled, not read again: Gonnermann et al. 2015, Stat Med
  34:2476; Bender et al. 2018, Res Synth Methods 9:382);
- three or more: random effects by REML with Knapp and Hartung's interval.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ...base.constants import Z95
from ...base.intervals import normal_interval
from . import rare_events as rare
from .effect_size import EffectSize
from .heterogeneity import tau2_interval, tau2_of

#: Random effects, by the estimate of the variance between studies.
METHODS = ("REML", "DL", "ML")
#: Methods that a user may name.
CHOICES = ("auto", *METHODS, "common", "MH", "Peto", "GLMM")
#: As metafor names them: Knapp and Hartung's, the same but never narrower than the normal one, the normal one.
INTERVALS = ("auto", "knha", "adhoc", "normal")
#: p value of Q below which studies are said to disagree.
DISAGREE = 0.1
#: Fewest studies for a prediction interval: two have no scatter to speak of.
FEWEST_FOR_PREDICTION = 3


@dataclass(frozen=True)
class Fit:
    """A fitted model on the scale of analysis; intervals are (low, high), `exact` on the scale of the measure."""

    method: str
    interval: str
    mu: float
    se: float
    p: float
    ci: tuple[float, float]
    weights: tuple[float, ...]
    prediction: tuple[float, float] | None = None
    tau2: float | None = None
    tau2_ci: tuple[float, float] | None = None
    i2: float | None = None
    q: float | None = None
    q_p: float | None = None
    notes: tuple[str, ...] = ()
    exact: tuple[float, float, float] | None = None
    measure: str = ""


def fit(effects: Sequence[EffectSize], method: str = "auto", interval: str = "auto") -> Fit:
    """Fit the model that a method names, or that the data call for."""
    chosen_name = chosen_method(effects, method, interval)
    if chosen_name == "exact":
        return _exact(effects)
    if chosen_name == "GLMM":
        return _logistic(effects)
    if chosen_name in ("MH", "Peto"):
        return _counted(effects, chosen_name)
    if len(effects) == 1:
        return _one(effects[0], chosen_name)
    if chosen_name == "common":
        return _common(effects)
    return _random(effects, chosen_name, "knha" if interval == "auto" else interval)


def chosen_method(effects: Sequence[EffectSize], method: str, interval: str = "auto") -> str:
    """Return the method that is used: the one that is named, or the one that the data call for."""
    k = len(effects)
    shares = [(effect.events, effect.n) for effect in effects if effect.events is not None and effect.n]
    if len(shares) == k and (method == "GLMM" or (method == "auto" and interval == "auto")):
        events, people = sum(x or 0.0 for x, _ in shares), sum(n or 0 for _, n in shares)
        if k == 1 or events in (0.0, people):
            return "exact"
        if method == "GLMM" or any(x in (0.0, n) for x, n in shares):
            return "GLMM"
    counts = [effect.counts for effect in effects if effect.counts is not None]
    hollow = any(a in (0.0, n1) or b in (0.0, n2) for a, n1, b, n2 in counts)
    if k > 1 and len(counts) == k and hollow and method == "auto" and interval == "auto":
        if rare.mantel_haenszel(counts) is not None:
            return "MH"
        if rare.peto(counts) is not None:
            return "Peto"
    if method != "auto":
        return method
    return "common" if k == 2 and interval in ("auto", "normal") else "REML"


def _one(effect: EffectSize, method: str) -> Fit:
    note = "one independent study: nothing is pooled, the interval is its own"
    return _normal(method, effect.y, math.sqrt(effect.v), [1.0], (note,))


def _normal(method: str, mu: float, se: float, weights: Sequence[float], notes: tuple[str, ...], **more: Any) -> Fit:
    from scipy import stats

    return Fit(
        method, "normal", mu, se, 2.0 * float(stats.norm.sf(abs(mu) / se)), normal_interval(mu, se),
        _shares(weights), notes=notes, **more,
    )  # fmt: skip


def _shares(weights: Sequence[float]) -> tuple[float, ...]:
    total = float(sum(weights))
    return tuple(100.0 * float(weight) / total for weight in weights)


def _disagreement(effects: Sequence[EffectSize], mu: float) -> dict[str, float]:
    """Return Cochran's Q about an estimate, its p value, and I2 from it (Higgins and Thompson 2002), %."""
    from scipy import stats

    q, free = sum((effect.y - mu) ** 2 / effect.v for effect in effects), len(effects) - 1
    if free < 1:
        return {}
    return {"q": q, "q_p": float(stats.chi2.sf(q, free)), "i2": max(0.0, 100.0 * (q - free) / q) if q > 0.0 else 0.0}


def _common(effects: Sequence[EffectSize]) -> Fit:
    weights = [1.0 / effect.v for effect in effects]
    mu = sum(weight * effect.y for weight, effect in zip(weights, effects, strict=True)) / sum(weights)
    disagreement = _disagreement(effects, mu)
    k = len(effects)
    notes = [f"the average of these {k} studies themselves; it says nothing of other studies"]
    if k == 2:
        notes.append(
            "two studies: the variance between studies cannot be estimated, so there is no useful random-effects interval and "
            "no prediction interval"
        )
    if disagreement and disagreement["q_p"] < DISAGREE:
        notes.append(f"the studies disagree (p of Q {disagreement['q_p']:.2g}): read each by itself")
    return _normal("common", mu, 1.0 / math.sqrt(sum(weights)), weights, tuple(notes), **disagreement)


def _counted(effects: Sequence[EffectSize], method: str) -> Fit:
    counts = [effect.counts for effect in effects if effect.counts is not None]
    result = rare.mantel_haenszel(counts) if method == "MH" else rare.peto(counts)
    assert result is not None
    mu, se, weights = result
    note = {
        "MH": "rare events: Mantel and Haenszel's risk ratio, nothing added to empty cells",
        "Peto": "rare events: Peto's odds ratio, nothing added to empty cells",
    }[method]
    measure = "odds_ratio" if method == "Peto" else "risk_ratio"
    notes = (note, "a common effect: variation between studies is not in the interval")
    about = _disagreement(effects, mu) if method == "MH" else {}
    return _normal(method, mu, se, weights, notes, measure=measure, **about)


def _exact(effects: Sequence[EffectSize]) -> Fit:
    events, people = sum(e.events or 0.0 for e in effects), float(sum(e.n or 0 for e in effects))
    low, high = rare.exact_share_interval(events, people)
    x = min(max(events, 0.5), people - 0.5)
    mu, se = math.log(x / (people - x)), math.sqrt(1.0 / x + 1.0 / (people - x))
    notes: tuple[str, ...]
    if len(effects) == 1:
        notes = ("one independent study: nothing is pooled", "exact interval (Clopper and Pearson)")
    else:
        who = "nobody" if events == 0.0 else "everybody"
        notes = (f"{who} of {people:.0f} people in {len(effects)} studies: exact interval, as if of one study",)
    fitted = _normal("exact", mu, se, [float(e.n or 0) for e in effects], notes)
    return Fit(**{**vars(fitted), "interval": "exact", "exact": (events / people, low, high)})


def _logistic(effects: Sequence[EffectSize]) -> Fit:
    mu, se, tau2 = rare.pool_logits([e.events or 0.0 for e in effects], [float(e.n or 0) for e in effects])
    notes = ("groups without or with nothing but events: random-effects logistic regression, nothing added to them",)
    fitted = _normal("GLMM", mu, se, [float(e.n or 0) for e in effects], notes, tau2=tau2)
    if len(effects) < FEWEST_FOR_PREDICTION:
        return fitted
    half = (fitted.ci[1] - mu) / se * math.sqrt(tau2 + se**2)
    return Fit(**{**vars(fitted), "prediction": (mu - half, mu + half)})


def _random(effects: Sequence[EffectSize], method: str, interval: str) -> Fit:
    """Fit random effects; numbers equal those of metafor's rma."""
    import numpy as np
    from scipy import stats

    y, v = np.array([e.y for e in effects]), np.array([e.v for e in effects])
    k = len(effects)
    tau2 = tau2_of(y, v, method)
    weights = 1.0 / (v + tau2)
    mu = float(weights @ y / weights.sum())
    normal = se = float(1.0 / math.sqrt(weights.sum()))
    z = quantile = Z95
    notes = []
    if interval != "normal":
        quantile = float(stats.t.isf(0.025, k - 1))
        scatter = math.sqrt(float(weights @ (y - mu) ** 2) / (k - 1))
        if scatter < 1e-9:
            notes.append("the studies are identical: Knapp and Hartung's error would be 0, the normal one is kept")
        else:
            se *= scatter if interval == "knha" else max(1.0, scatter)
        if se * quantile < normal * z:
            notes.append("the Knapp-Hartung interval is narrower than the normal one: the studies agree by chance")
    fixed = 1.0 / v
    q = float(fixed @ (y - fixed @ y / fixed.sum()) ** 2)
    typical = (k - 1) * fixed.sum() / (fixed.sum() ** 2 - (fixed**2).sum())
    if k == 2 and interval != "normal":
        notes.append(
            "two studies: with one degree of freedom this interval says hardly anything; the method 'common' averages them"
        )
    if k < 5:
        notes.append(f"{k} studies: the variance between studies is hardly known")
    half = quantile * math.sqrt(tau2 + se**2)
    p = 2.0 * float(stats.t.sf(abs(mu) / se, k - 1) if interval != "normal" else stats.norm.sf(abs(mu) / se))
    return Fit(
        method, interval, mu, se, p, (mu - quantile * se, mu + quantile * se), _shares([float(w) for w in weights]),
        prediction=(mu - half, mu + half) if k >= FEWEST_FOR_PREDICTION else None,
        tau2=tau2,
        tau2_ci=tau2_interval(y, v),
        i2=float(100.0 * tau2 / (tau2 + typical)),
        q=q,
        q_p=float(stats.chi2.sf(q, k - 1)),
        notes=tuple(notes),
    )  # fmt: skip
