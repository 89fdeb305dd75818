"""A fit folder with made-up numbers: a linear model with normal errors and study effects, solved exactly; nothing that was simulated."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Z90 = 1.6448536269514722
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


def value_at(transform: str, start: float, at: Any) -> Any:
    """Return values at places on the scale of a transform, from the start."""
    if transform == "log":
        return start * np.exp(at)
    if transform == "logit":
        return 1 / (1 + (1 - start) / start * np.exp(-at))
    return np.tanh(np.arctanh(start) + at) if transform == "atanh" else start + at


def write_made_up_fit(folder: Path, rows: int = 170, seed: int = 4) -> Path:
    """Write the folder and return it; every number of it is made up."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng(seed)
    d = len(UNKNOWNS)
    data = _rows(rng, rows, d)
    table, jacobian = data["table"], data["jacobian"]
    fitted = table["fitted"].to_numpy(bool)
    errors = data["covariance"][np.ix_(fitted, fitted)]
    information = jacobian[fitted].T @ np.linalg.solve(errors, jacobian[fitted])
    precision = np.eye(d) + information
    covariance = np.linalg.inv(precision)
    misses = (table["observed"] - table["before"]).to_numpy()[fitted]
    u = covariance @ jacobian[fitted].T @ np.linalg.solve(errors, misses)
    draws = rng.multivariate_normal(u, covariance, 64)
    logs = rng.normal(0, 0.5, 64)
    _finish_rows(table, jacobian, u, covariance)
    _write_unknowns(folder, u, covariance)
    np.save(folder / "covariance.npy", covariance)
    values = np.stack(
        [value_at(how, start, sd * draws[:, k]) for k, (_, _, _, how, start, sd) in enumerate(UNKNOWNS)], axis=1
    )
    np.savez(folder / "draws.npz", u=draws, values=values, log_weights=logs)
    table.to_csv(folder / "rows.csv", index=False)
    _write_checks(folder, table, information, jacobian, u, covariance)
    (folder / "fit.json").write_text(json.dumps(_identity(table)), encoding="utf-8")
    return folder


def _rows(rng: np.random.Generator, count: int, d: int) -> dict[str, Any]:
    kinds = [CLASSES[k] for k in rng.integers(0, len(CLASSES), count)]
    number = rng.integers(0, 46, count)
    families = [f"{'ABCDEFGHIJKLMNOP'[k % 16]}TRIAL{2001 + k}" for k in number]
    fitted = np.isin(number, np.arange(10), invert=True)
    se = np.array([kind[6] for kind in kinds]) * rng.lognormal(0, 0.4, count)
    family_sd, row_sd = (np.array([kind[k] for kind in kinds]) for k in (7, 8))
    keys = [f"{family} {kind[0]}" for family, kind in zip(families, kinds, strict=True)]
    same = np.array(keys)[:, None] == np.array(keys)[None, :]
    covariance = np.diag(se**2 + row_sd**2) + same * np.outer(family_sd, family_sd)
    # Later unknowns move less: the evidence says nothing of them.
    reach = 2.2 * np.exp(-0.2 * np.arange(d))[np.concatenate([[3], rng.permutation(d - 1)])]
    jacobian = rng.normal(0, 1, (count, d)) * (rng.uniform(size=(count, d)) < 0.3) * reach * se[:, None]
    jacobian[:, 17] = -0.8 * jacobian[:, 0] + 0.1 * se * rng.normal(size=count)
    before = np.array([rng.normal(kind[4], kind[5]) for kind in kinds])
    before = np.where([kind[1] == "angle" for kind in kinds], np.clip(before, 0.2, 2.8), before)
    truth = rng.normal(0, 1, d)
    observed = before + jacobian @ truth + rng.multivariate_normal(np.zeros(count), covariance)
    observed = np.where([kind[1] == "angle" for kind in kinds], np.clip(observed, 0.02, 3.1), observed)
    table = pd.DataFrame(
        {
            "record": [f"{family}-{k:03d}" for k, family in enumerate(families)],
            "study": families,
            "family": families,
            "endpoint": [kind[3] for kind in kinds],
            "unit": [kind[2] for kind in kinds],
            "class": [kind[0] for kind in kinds],
            "scale": [kind[1] for kind in kinds],
            "fitted": fitted,
            "observed": observed,
            "before": before,
            "se": se,
            "tau_family": family_sd,
            "tau_row": row_sd,
            "freedom": np.inf,
        }
    )
    return {"table": table, "jacobian": jacobian, "covariance": covariance}


def _finish_rows(table: pd.DataFrame, jacobian: Any, u: Any, covariance: Any) -> None:
    table["after"] = table["before"] + jacobian @ u
    table["sd_parameters"] = np.sqrt(np.einsum("ij,jk,ik->i", jacobian, covariance, jacobian))
    table["z_before"] = (table["observed"] - table["before"]) / table["se"]
    table["z_after"] = (table["observed"] - table["after"]) / table["se"]
    for name, column, widths in (
        ("inside_before", "before", ("se",)),
        ("inside_after", "after", ("se",)),
        ("inside_parameters", "after", ("se", "sd_parameters")),
        ("inside_all", "after", ("se", "sd_parameters", "tau_family", "tau_row")),
    ):
        width = np.sqrt(sum(table[part] ** 2 for part in widths))
        table[name] = (table["observed"] - table[column]).abs() <= Z90 * width


def _write_unknowns(folder: Path, u: Any, covariance: Any) -> None:
    lines = []
    for k, (name, kind, unit, how, start, sd) in enumerate(UNKNOWNS):
        spread = float(np.sqrt(covariance[k, k]))
        prior = [float(value_at(how, start, sd * z)) for z in (0, -Z90, Z90)]
        after = [float(value_at(how, start, sd * (u[k] + spread * z))) for z in (0, -Z90, Z90)]
        lines.append(
            {
                "name": name, "kind": kind, "unit": unit, "label": f"made-up label of {name}", "transform": how,
                "prior_median": prior[0], "prior_low": prior[1], "prior_high": prior[2], "start": start,
                "map": after[0], "median": after[0], "low": after[1], "high": after[2],
                "contraction": 1 - spread, "at_bound": name == "w_TGF",
            }
        )  # fmt: skip
    pd.DataFrame(lines).to_csv(folder / "unknowns.csv", index=False)


def _write_checks(folder: Path, table: pd.DataFrame, information: Any, jacobian: Any, u: Any, covariance: Any) -> None:
    names = [unknown[0] for unknown in UNKNOWNS]
    sizes, vectors = np.linalg.eigh(information)
    order = np.argsort(-sizes)
    pd.DataFrame(
        {"direction": rank + 1, "eigenvalue": max(float(sizes[k]), 0.0), "unknown": name, "loading": vectors[j, k]}
        for rank, k in enumerate(order)
        for j, name in enumerate(names)
    ).to_csv(folder / "eigen.csv", index=False)
    pd.DataFrame(
        {"unknown": names[k], "u": u[k] + t * s, "value": value_at(UNKNOWNS[k][3], UNKNOWNS[k][4], UNKNOWNS[k][5] * (u[k] + t * s)),
         "fall": t**2 * (1 + 0.25 * t * (-1) ** k), "quadratic": t**2}
        for k, s in ((0, 0.6), (2, 0.3), (8, 0.8), (17, 0.5))
        for t in (-2.0, -1.0, 0.0, 1.0, 2.0)
    ).to_csv(folder / "profiles.csv", index=False)  # fmt: skip
    names_of_classes = table["class"].where(table["scale"] != "linear", table["class"] + " " + table["unit"])
    classes = table.groupby(names_of_classes, sort=False)
    pd.DataFrame(
        {"class": name, "scale": part["scale"].iloc[0], "tau_family": part["tau_family"].median(),
         "tau_row": part["tau_row"].median(), "rows": len(part), "families": part["family"].nunique()}
        for name, part in classes
    ).to_csv(folder / "discrepancy.csv", index=False)  # fmt: skip
    _coverage(table).to_csv(folder / "coverage.csv", index=False)
    families = table[table["fitted"]].groupby("family")
    pd.DataFrame(
        {"family": name, "rows": len(part), "inside_before": int(part["inside_before"].sum()),
         "inside_after": int(part["inside_parameters"].sum()), "loss_before": float((part["z_before"] ** 2).sum() / 2),
         "loss_after": float((part["z_after"] ** 2).sum() / 2)}
        for name, part in families
    ).to_csv(folder / "left_out.csv", index=False)  # fmt: skip
    pd.DataFrame(
        {"stage": stage, "iteration": k, "evaluations": 12 * (k + 1), "processor_seconds": t0 + 30.0 * k,
         "loss": start * (0.7 + 0.3 * np.exp(-k)), "accepted": k != 3}
        for stage, t0, start in (("A", 5.0, 120.0), ("B", 160.0, 210.0))
        for k in range(5)
    ).to_csv(folder / "trace.csv", index=False)  # fmt: skip
    share = (jacobian / table["se"].to_numpy()[:, None]) ** 2
    pd.DataFrame(
        {"unknown": name, "record": table["record"].iloc[i], "family": table["family"].iloc[i],
         "share": float(share[i, j] / max(share[:, j].sum(), 1e-12))}
        for j, name in enumerate(names)
        for i in np.argsort(-share[:, j])[:10]
    ).to_csv(folder / "speaking.csv", index=False)  # fmt: skip


def _coverage(table: pd.DataFrame) -> pd.DataFrame:
    from scipy.stats import norm

    lines = []
    for name, part in (("fitted", table[table["fitted"]]), ("set aside", table[~table["fitted"]]), ("left out", table[table["fitted"]])):  # fmt: skip
        for when, parameters, discrepancy in (
            ("before", False, False), ("after", False, False), ("after", True, False), ("after", True, True), ("before", False, True),
        ):  # fmt: skip
            variance = part["se"] ** 2 + parameters * part["sd_parameters"] ** 2
            variance = variance + discrepancy * (part["tau_family"] ** 2 + part["tau_row"] ** 2)
            loss = 1.1 if name == "left out" else 1.0
            for nominal in (0.5, 0.8, 0.9, 0.95):
                z = norm.ppf(0.5 + nominal / 2)
                miss = (part["observed"] - part[when]).abs() * loss
                inside = miss <= z * np.sqrt(variance)
                for by in ("rows", "families"):
                    actual = inside.mean() if by == "rows" else inside.groupby(part["family"]).mean().mean()
                    count = len(part) if by == "rows" else part["family"].nunique()
                    width = float((2 * z * np.sqrt(variance) / part["se"]).median())
                    lines.append((name, by, when, parameters, discrepancy, nominal, float(actual), count, width))
    columns = ("set", "by", "when", "parameters", "discrepancy", "nominal", "actual", "count", "median_width")
    return pd.DataFrame(lines, columns=columns)


def _identity(table: pd.DataFrame) -> dict[str, Any]:
    return {
        "name": "made-up",
        "betapod": "0.1.0",
        "seed": 4,
        "problem": "name: made-up\nunknowns: {h_N0: {}}\n",
        "problem_hash": "0" * 64,
        "rows": len(table),
        "processor_seconds": {"A": 150.0, "B": 240.0},
        "ess": 31.5,
        "khat": 0.4,
        "warnings": ["Every number here is made up."],
    }
