"""The design of a simulated study in SDTM: TA, TE, TI, TS, TV, and the visits of its subjects (SV)."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ...observables.quantities import code_of, label_of, observable_unit
from .cdisc_variables import CdiscDataset, typed_columns
from .simulated_study import ascii_text, study_days

if TYPE_CHECKING:
    from .simulated_study import SimulatedStudy

_REFERENCE = "TRIAL DESIGN"


def subject_visits(study: SimulatedStudy) -> CdiscDataset:
    """Return SV: one record per visit that took place."""
    import pandas as pd

    days = study.visit_days
    subject, visit = np.nonzero(np.isfinite(days))
    names = np.array([ascii_text(name, 40) for name in study.data.visits], dtype=object)
    day = days[subject, visit]
    frame = pd.DataFrame(
        {
            "STUDYID": study.study_id,
            "DOMAIN": "SV",
            "USUBJID": study.unique_subjects[subject],
            "VISITNUM": visit + 1.0,
            "VISIT": names[visit],
            "VISITDY": study_days(np.rint(np.array(study.protocol.days)))[visit],
            "EPOCH": np.where(day < 0, "SCREENING", "TREATMENT"),
            "SVSTDTC": study.iso_dates(day),
            "SVENDTC": study.iso_dates(day),
            "SVSTDY": study_days(day),
            "SVENDY": study_days(day),
        }
    )
    keys = ("STUDYID", "USUBJID", "VISITNUM")
    return CdiscDataset(
        "SV", "Subject Visits", "SPECIAL PURPOSE", "One record per visit per subject", keys, typed_columns(frame)
    )


def trial_design(study: SimulatedStudy) -> list[CdiscDataset]:
    """Return TA, TE, TI, TS and TV."""
    elements = _elements(study)
    arms = [
        (study.study_id, "TA", code, name, float(order), element[0], element[1], element[2], "", element[3])
        for code, name in zip(study.arm_codes, study.arm_names, strict=True)
        for order, element in enumerate(elements(code, name), 1)
    ]
    elements_by_code = {
        element[0]: (study.study_id, "TE", element[0], element[1], element[4], element[5], element[6])
        for code, name in zip(study.arm_codes, study.arm_names, strict=True)
        for element in elements(code, name)
    }
    rows_of_visits = [
        (study.study_id, "TV", float(k), ascii_text(visit.name, 40), float(study_days(np.array(round(visit.day)))), "", *_window(visit))
        for k, visit in enumerate(study.protocol.visits, 1)
    ]  # fmt: skip
    return [
        _reference(
            "TA", "Trial Arms", "One record per planned element per arm", ("STUDYID", "ARMCD", "TAETORD"), arms,
            ("STUDYID", "DOMAIN", "ARMCD", "ARM", "TAETORD", "ETCD", "ELEMENT", "TABRANCH", "TATRANS", "EPOCH"),
        ),
        _reference(
            "TE", "Trial Elements", "One record per planned element", ("STUDYID", "ETCD"), list(elements_by_code.values()),
            ("STUDYID", "DOMAIN", "ETCD", "ELEMENT", "TESTRL", "TEENRL", "TEDUR"),
        ),
        _reference(
            "TI", "Trial Inclusion/Exclusion Criteria", "One record per criterion", ("STUDYID", "IETESTCD"),
            list(_criteria(study)), ("STUDYID", "DOMAIN", "IETESTCD", "IETEST", "IECAT"),
        ),
        _reference(
            "TS", "Trial Summary Information", "One record per trial summary parameter", ("STUDYID", "TSPARMCD", "TSSEQ"),
            list(_summary(study)), ("STUDYID", "DOMAIN", "TSSEQ", "TSPARMCD", "TSPARM", "TSVAL", "TSVALNF"),
        ),
        _reference(
            "TV", "Trial Visits", "One record per planned visit", ("STUDYID", "VISITNUM"), rows_of_visits,
            ("STUDYID", "DOMAIN", "VISITNUM", "VISIT", "VISITDY", "ARMCD", "TVSTRL", "TVENRL"),
        ),
    ]  # fmt: skip


def _reference(
    name: str, label: str, structure: str, keys: tuple[str, ...], rows: list[Any], columns: tuple[str, ...]
) -> CdiscDataset:
    import pandas as pd

    frame = pd.DataFrame(rows, columns=list(columns)).sort_values(list(keys), kind="stable", ignore_index=True)
    return CdiscDataset(name, label, _REFERENCE, structure, keys, typed_columns(frame))


def _elements(study: SimulatedStudy) -> Any:
    """Return what gives the elements of an arm: code, words, branch, epoch, rules of start and end, duration."""
    protocol = study.protocol
    first = min(protocol.days)
    run_in = protocol.run_in
    treatment_days = math.ceil(protocol.visits[-1].day)
    several = len(study.arm_codes) > 1

    def elements(code: str, name: str) -> list[tuple[str, ...]]:
        branch = f"Allocated to {name}" if several else ""
        before = [("SCREEN", "Screening", branch, "SCREENING", "First visit", "Enrolment", _duration(-first))]
        if run_in is not None:
            words = ascii_text(f"Run-in: {', '.join(item.therapy for item in run_in.therapies)}")
            start = "Treatment of the run-in begins"
            before = [
                ("RUNIN", words, branch, "RUN-IN", start, "Enrolment", _duration(run_in.duration)),
            ]
        number = study.arm_codes.index(code) + 1
        rule = "Allocated to the arm" if several else "Enrolled"
        treated = (f"TRT{number}", ascii_text(name), "", "TREATMENT", rule, "Last visit", _duration(treatment_days))
        return [*before, treated]

    return elements


def _duration(days: float) -> str:
    return f"P{round(days)}D" if days > 0 else ""


def _window(visit: Any) -> tuple[str, str]:
    if visit.window > 0:
        return f"From {visit.window:g} days before to {visit.window:g} days after the planned day", "End of the visit"
    return "On the planned day", "End of the visit"


def _criteria(study: SimulatedStudy) -> Iterator[tuple[str, ...]]:
    protocol, number = study.protocol, 1
    if protocol.population.diabetes != "any":
        words = f"diabetes: {protocol.population.diabetes}"
        yield (study.study_id, "TI", "INCL01", words, "INCLUSION")
        number = 2
    for name, criterion in (*protocol.population.confirmed.items(), *protocol.eligibility.items()):
        code = code_of(name)
        low, high = criterion.bounds(code)
        parts = [f"at least {low:g}"] if math.isfinite(low) else []
        parts += [f"at most {high:g}"] if math.isfinite(high) else []
        unit = observable_unit(code)
        words = f"{label_of(code)}: {' and '.join(parts)}{'' if unit == '1' else ' ' + unit}"
        yield (study.study_id, "TI", f"INCL{number:02d}", ascii_text(words), "INCLUSION")
        number += 1


def _summary(study: SimulatedStudy) -> Iterator[tuple[Any, ...]]:
    """Yield the rows of TS; what a simulated trial cannot have is said by the null flavour NA."""
    protocol, data = study.protocol, study.data
    design = protocol.designs[data.design]
    low_age, high_age = protocol.eligibility["AGE"].bounds("AGE") if "AGE" in protocol.eligibility else (18.0, math.inf)
    several = len(data.arms) > 1
    secondary = [endpoint.name or endpoint.quantity for endpoint in protocol.endpoints.secondary]
    primary = protocol.endpoints.primary
    blind = {"open": "OPEN LABEL", "single": "SINGLE BLIND", "double": "DOUBLE BLIND"}[design.blinding]
    rows: list[tuple[str, str, str, str]] = [
        ("TITLE", "Trial Title", ascii_text(f"Simulated: {protocol.title}"), ""),
        ("SIMULATD", "Simulated Trial", "Y: every subject and every value was simulated; nobody was treated", ""),
        ("SIMTOOL", "Simulation Program", f"betapod {_version()}", ""),
        ("SIMPROT", "Simulated Protocol", ascii_text(protocol.name), ""),
        ("SIMDESGN", "Simulated Design", ascii_text(data.design), ""),
        ("SIMSCEN", "Scenario of Cell Efficacy", ascii_text(data.scenario), ""),
        ("SIMREPL", "Replicate", str(study.replicate), ""),
        ("SIMSEED", "Random Seed", str(protocol.seed), ""),
        ("STYPE", "Study Type", "INTERVENTIONAL", ""),
        ("TBLIND", "Trial Blinding Schema", blind, ""),
        ("TCNTRL", "Control Type", _control(study), "" if several else "NA"),
        ("RANDOM", "Trial is Randomized", "Y" if several else "N", ""),
        ("NARMS", "Planned Number of Arms", str(len(data.arms)), ""),
        ("PLANSUB", "Planned Number of Subjects", str(data.patients), ""),
        ("ACTSUB", "Actual Number of Subjects", str(len(study.places)), ""),
        ("AGEMIN", "Planned Minimum Age of Subjects", f"P{math.ceil(low_age)}Y" if math.isfinite(low_age) else "", "" if math.isfinite(low_age) else "NINF"),
        ("AGEMAX", "Planned Maximum Age of Subjects", f"P{math.floor(high_age)}Y" if math.isfinite(high_age) else "", "" if math.isfinite(high_age) else "PINF"),
        ("SEXPOP", "Sex of Participants", "BOTH", ""),
        ("HLTSUBJI", "Healthy Subject Indicator", "Y" if protocol.population.diabetes == "none" else "N", ""),
        ("SSTDTC", "Study Start Date", study.start.isoformat(), ""),
        ("OBJPRIM", "Trial Primary Objective", ascii_text(f"Compare the arms by: {primary.name or primary.quantity}"), ""),
        ("OUTMSPRI", "Primary Outcome Measure", ascii_text(primary.name or primary.quantity), ""),
        *(("OUTMSSEC", "Secondary Outcome Measure", ascii_text(name), "") for name in secondary),
        ("REGID", "Registry Identifier", "", "NA"),
        ("SPONSOR", "Clinical Study Sponsor", "", "NA"),
    ]  # fmt: skip
    counts: dict[str, int] = {}
    for code, words, value, null in rows:
        counts[code] = counts.get(code, 0) + 1
        yield (study.study_id, "TS", float(counts[code]), code, words, value, null)


def _control(study: SimulatedStudy) -> str:
    arms = [study.protocol.arms[name] for name in study.data.arms]
    if len(arms) == 1:
        return ""
    return "PLACEBO" if any(arm.placebo for arm in arms) else "ACTIVE"


def _version() -> str:
    from ... import __version__

    return __version__
