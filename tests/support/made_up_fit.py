"""A fit folder with made-up numbers: a linear model with normal errors and study effects, solved exactly; nothing that was simulated."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from betapod.calibration.discrepancy import discrepancy_classes
from betapod.calibration.fit_folder import FinishedFit, row_columns, write_fit_record
from betapod.calibration.fit_rows import FitRows
from betapod.calibration.unknown import Unknown

Numbers = NDArray[np.float64]
#: Name, kind, unit, transform, start, SD of the prior.
UNKNOWNS: tuple[tuple[str, str, str, str, float, float], ...] = (
    ("h_N0", "row", "1/year", "log", 0.0085, 0.4),
    ("a_H_A", "row", "1", "log", 1.2, 0.3),
    ("uptake_capacity", "row", "g/day", "log", 2.1, 0.5),
    ("g_saturation", "row", "1", "log", 0.7, 0.4),
    ("b_sieving_deficit", "row", "1", "log", 3.4, 0.45),
    ("deficit_threshold", "row", "1", "logit", 0.25, 0.5),
    ("k_surface_mes", "row", "1/year", "log", 0.05, 0.6),
    ("ANP_gain", "row", "1", "log", 1.0, 0.5),
    ("w_TGF", "row", "1", "linear", 0.4, 0.15),
    ("P_GC0", "row", "mmHg", "log", 51.0, 0.06),
    ("SGLT2 inhibitor e_S", "drug", "1", "log", 1.0, 0.3),
    ("renin-angiotensin blocker e_R", "drug", "1", "log", 1.0, 0.3),
    ("GLP-1 receptor agonist e_P", "drug", "1", "log", 1.0, 0.4),
    ("xi median", "median", "1", "log", 1.0, 0.3),
    ("xi spread", "spread", "1", "log", 1.0, 0.2),
    ("xi_theta spread", "spread", "1", "log", 1.0, 0.2),
    ("xi with xi_theta", "correlation", "1", "atanh", 0.0, 0.25),
    ("care dMAP", "care", "mmHg", "linear", 0.0, 4.0),
    ("UACR life", "visit", "1", "log", 0.4, 0.35),
    ("UACR measurement", "visit", "1", "log", 0.3, 0.25),
    ("eGFR life", "visit", "1", "log", 0.06, 0.3),
    ("k_renin_md", "row", "1", "log", 0.9, 0.5),
    ("protein_animal0", "row", "g/day", "log", 55.0, 0.2),
    ("k_MAP_volume", "row", "mmHg/L", "log", 3.0, 0.4),
    ("del_on", "cells", "1", "logit", 0.3, 0.6),
)
#: Class, scale, unit, endpoints, middle and spread on the scale, typical error, SD of a family, SD of a row.
CLASSES: tuple[tuple[str, str, str, str, float, float, float, float, float], ...] = (
    ("share", "angle", "1", "UACR stage", 1.1, 0.45, 0.10, 0.16, 0.10),
    ("event ratio", "log", "1", "kidney outcome", -0.35, 0.15, 0.12, 0.10, 0.05),
    ("slope", "linear", "mL/min/1.73m2/year", "eGFR slope", -3.0, 1.5, 0.5, 0.7, 0.3),
    ("ratio", "log", "1", "UACR", -0.3, 0.3, 0.12, 0.15, 0.08),
    ("level", "linear", "mmHg", "SBP", -4.0, 4.0, 1.5, 2.0, 1.0),
    ("level", "linear", "mL/min/1.73m2", "eGFR", 55.0, 20.0, 2.5, 3.0, 2.0),
    ("level", "linear", "%", "HbA1c", 7.5, 0.8, 0.2, 0.3, 0.2),
)


def unknowns_of_made_up_fit() -> tuple[Unknown, ...]:
    """Return the unknowns."""
    return tuple(
        Unknown(name, kind, unit, start, transform, sd, label=f"made-up label of {name}")
        for name, kind, unit, transform, start, sd in UNKNOWNS
    )


def write_made_up_fit(folder: Path, count: int = 170, seed: int = 4) -> Path:
    """Write the folder and return it; every number of it is made up."""
    rng = np.random.default_rng(seed)
    rows, before, jacobian, family_sd, row_sd = _rows(rng, count)
    keys = np.array([f"{family} {name}" for family, name in zip(rows.family, rows.row_class, strict=True)])
    same = keys[:, None] == keys[None, :]
    errors = np.diag(rows.se**2 + row_sd**2) + same * np.outer(family_sd, family_sd)
    use = rows.fitted
    information = jacobian[use].T @ np.linalg.solve(errors[np.ix_(use, use)], jacobian[use])
    covariance = np.linalg.inv(information + np.eye(len(UNKNOWNS)))
    u = covariance @ jacobian[use].T @ np.linalg.solve(errors[np.ix_(use, use)], (rows.observed - before)[use])
    draws = rng.multivariate_normal(u, covariance, 64)
    fit = FinishedFit(
        unknowns=unknowns_of_made_up_fit(),
        u_map=u,
        mean=u,
        covariance=covariance,
        draws_u=draws,
        log_weights=rng.normal(0, 0.5, 64),
        rows=rows,
        stage=("B",) * count,
        before=before,
        after=before + jacobian @ u,
        drawn=before + draws @ jacobian.T,
        lacking=discrepancy_classes(rows),
        tau_family=family_sd,
        tau_row=row_sd,
        at_bound=np.array([name == "w_TGF" for name, *_ in UNKNOWNS]),
        identity={
            "name": "made-up", "betapod": "0.1.0", "seed": 4, "problem": "name: made-up\nunknowns: {h_N0: {}}\n", "digest": "0" * 64,
            "processor_seconds": {"A": 150.0, "B": 240.0}, "effective draws": 31.5, "families": {"fitted": sorted(set(rows.family))},
            "stages": [{"name": "B", "unknowns": ["h_N0", "a_H_A"], "converged": False, "reason": "ten iterations", "loss": 148.2, "evaluations": 60, "passes": 2,
                        "effective draws": 31.5}], "warnings": ["Every number here is made up."],
        },
    )  # fmt: skip
    tables = {
        "eigen.csv": _eigen(information),
        "profiles.csv": _profiles(u),
        "coverage.csv": _coverage(fit),
        "left_out.csv": _left_out(fit),
        "trace.csv": _trace(),
        "speaking.csv": _speaking(rows, jacobian),
    }
    write_fit_record(folder, FinishedFit(**{**vars(fit), "tables": tables}))
    return folder


def _rows(rng: np.random.Generator, count: int) -> tuple[FitRows, Numbers, Numbers, Numbers, Numbers]:
    """Return rows, predictions at the start, slopes, and the sizes of what families and rows have of their own."""
    d = len(UNKNOWNS)
    kinds = [CLASSES[k] for k in rng.integers(0, len(CLASSES), count)]
    number = rng.integers(0, 46, count)
    families = tuple(f"{'ABCDEFGHIJKLMNOP'[k % 16]}TRIAL{2001 + k}" for k in number)
    se = np.array([kind[6] for kind in kinds]) * rng.lognormal(0, 0.4, count)
    family_sd, row_sd = (np.array([kind[k] for kind in kinds]) for k in (7, 8))
    # Later unknowns move less: the evidence says nothing of them.
    reach = 2.2 * np.exp(-0.2 * np.arange(d))[np.concatenate([[3], rng.permutation(d - 1)])]
    jacobian = rng.normal(0, 1, (count, d)) * (rng.uniform(size=(count, d)) < 0.3) * reach * se[:, None]
    jacobian[:, 17] = -0.8 * jacobian[:, 0] + 0.1 * se * rng.normal(size=count)
    angle = np.array([kind[1] == "angle" for kind in kinds])
    before = np.array([rng.normal(kind[4], kind[5]) for kind in kinds])
    before = np.where(angle, np.clip(before, 0.2, 2.8), before)
    keys = np.array([f"{family} {kind[0]}" for family, kind in zip(families, kinds, strict=True)])
    effect = {key: rng.normal() for key in sorted(set(keys))}
    shared = np.array([effect[key] for key in keys])
    observed = (
        before + jacobian @ rng.normal(0, 1, d) + family_sd * shared + np.hypot(se, row_sd) * rng.normal(size=count)
    )
    rows = FitRows(
        record=tuple(f"{family}-{k:03d}" for k, family in enumerate(families)),
        study=families,
        family=families,
        endpoint=tuple(kind[3] for kind in kinds),
        unit=tuple(kind[2] for kind in kinds),
        row_class=tuple(kind[0] for kind in kinds),
        scale=tuple(kind[1] for kind in kinds),
        fitted=np.isin(number, np.arange(10), invert=True),
        observed=np.where(angle, np.clip(observed, 0.02, 3.1), observed),
        se=se,
        freedom=np.full(count, np.inf),
    )
    return rows, before, jacobian, family_sd, row_sd


def _columns(names: str, lines: Sequence[Sequence[Any]]) -> dict[str, NDArray[Any]]:
    """Return lines as columns; texts stay texts."""
    parts = zip(*lines, strict=True)
    return {
        name: np.array(part, dtype=object if isinstance(part[0], str) else None)
        for name, part in zip(names.split(","), parts, strict=True)
    }


def _eigen(information: Numbers) -> dict[str, NDArray[Any]]:
    sizes, vectors = np.linalg.eigh(information)
    return _columns(
        "direction,eigenvalue,unknown,loading",
        [
            (rank, max(float(sizes[k]), 0.0), name, float(vectors[j, k]))
            for rank, k in enumerate(np.argsort(-sizes), start=1)
            for j, (name, *_) in enumerate(UNKNOWNS)
        ],
    )


def _profiles(u: Numbers) -> dict[str, NDArray[Any]]:
    return _columns(
        "unknown,u,value,fall,quadratic",
        [
            (unknown.name, u[k] + t * sd, float(unknown.value(u[k] + t * sd)), t**2 * (1 + 0.25 * t * (-1) ** k), t**2)
            for k, sd in ((0, 0.6), (2, 0.3), (8, 0.8), (17, 0.5))
            for unknown in [unknowns_of_made_up_fit()[k]]
            for t in (-2.0, -1.0, 1.0, 2.0)
        ],
    )


def _trace() -> dict[str, NDArray[Any]]:
    return _columns(
        "stage,pass,iteration,evaluations,processor_seconds,loss,accepted",
        [
            (stage, 1 + k // 3, k, 12 * (k + 1), begin + 30.0 * k, loss * (0.7 + 0.3 * float(np.exp(-k))), k != 3)
            for stage, begin, loss in (("A", 5.0, 120.0), ("B", 160.0, 210.0))
            for k in range(5)
        ],
    )


def _speaking(rows: FitRows, jacobian: Numbers) -> dict[str, NDArray[Any]]:
    said = (jacobian / rows.se[:, None]) ** 2
    said /= np.maximum(said.sum(axis=0), 1e-12)
    return _columns(
        "unknown,record,family,share",
        [
            (name, rows.record[i], rows.family[i], float(said[i, j]))
            for j, (name, *_) in enumerate(UNKNOWNS)
            for i in np.argsort(-said[:, j])[:10]
        ],
    )


def _left_out(fit: FinishedFit) -> dict[str, NDArray[Any]]:
    columns, families = row_columns(fit), np.array(fit.rows.family)
    lines = []
    for family in sorted(set(families[fit.rows.fitted])):
        of = families == family
        inside = [float(columns[name][of].mean()) for name in ("inside_before", "inside_parameters")]
        loss = [float((columns[name][of] ** 2).sum() / 2) for name in ("z_before", "z_after")]
        lines.append((family, int(of.sum()), *inside, *loss))
    return _columns("family,rows,inside_before,inside_after,loss_before,loss_after", lines)


def _coverage(fit: FinishedFit) -> dict[str, NDArray[Any]]:
    columns, families = row_columns(fit), np.array(fit.rows.family)
    contents = (("before", False, False), ("after", False, False), ("after", True, False), ("before", False, True), ("after", True, True))  # fmt: skip
    lines = []
    for name, of, loss in (("fitted", fit.rows.fitted, 1.0), ("set aside", ~fit.rows.fitted, 1.0), ("left out", fit.rows.fitted, 1.1)):  # fmt: skip
        for when, parameters, discrepancy in contents:
            variance = columns["se"] ** 2 + parameters * columns["sd_parameters"] ** 2
            sd = np.sqrt(variance + discrepancy * (fit.tau_family**2 + fit.tau_row**2))[of]
            miss = loss * np.abs(fit.rows.observed - columns[when])[of]
            for nominal in (0.5, 0.8, 0.9, 0.95):
                z = stats.norm.ppf(0.5 + nominal / 2)
                inside, groups = miss <= z * sd, families[of]
                by_family = float(np.mean([inside[groups == family].mean() for family in set(groups)]))
                width = float(np.median(2 * z * sd / columns["se"][of]))
                for by, actual, count in (("rows", float(inside.mean()), len(inside)), ("families", by_family, len(set(groups)))):  # fmt: skip
                    lines.append((name, by, when, parameters, discrepancy, nominal, actual, count, width))
    return _columns("set,by,when,parameters,discrepancy,nominal,actual,count,median_width", lines)
