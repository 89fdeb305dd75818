"""Result tables of a trial: every number of its report, computed once from a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..analysis import endpoints
from ..analysis.controlled import analyse
from ..analysis.endpoints import comparisons
from ..analysis.estimators import Estimate
from ..conduct.feasibility import Behind, behind
from . import figure_rows, replicate_summaries
from . import result_rows as rows_of
from .example_trial import one_trial
from .look_characteristics import look_rows
from .multiple_tests import multiplicity_rows
from .power_analysis import assurance
from .sizing import power_and_sizes, tests_cells

if TYPE_CHECKING:
    import pandas as pd

    from ..conduct.trial_run import TrialRun
    from ..protocol.protocol import Protocol

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Assessment:
    """Result tables of a run.

    Attributes
    ----------
    results
        One row per design, scenario, comparison, stratum and endpoint: mean and range of the estimate over replicates, rate of
        significance, true effect of cells.
    courses
        One row per design, scenario, arm, stratum, quantity and visit: observed mean change, its range over replicates, true
        effect of cells.
    parts
        One row per design, scenario, arm, stratum and part of the observed change of the primary quantity.
    evidence
        One row per design and scenario: how much a reported improvement, and one of the typical size, speak for the scenario
        against `NULL`.
    patients
        Every patient of the typical trial of each design and scenario.
    free
        Kaplan-Meier curves of kidney failure or lasting fall of eGFR by 40 %, all replicates together.
    adverse, flow, slopes, baseline, remission
        Adverse events; screening and endings; eGFR slopes; characteristics at baseline; share whose UACR becomes normal.
    one_trial
        The typical trial of each controlled design as it would be published: primary analysis, mixed model of all visits
        (unstructured covariance), hazard ratio.
    multiple_tests
        What each of several tests rejects alone and after adjustment, where the protocol adjusts.
    looks, looked, claimed
        One row per look of designs that have looks; one per comparison of them with power, cost and what estimates are worth; one per claim of designs
        whose stages are tested apart.
    survival, hierarchy, tipping
        The typical trial of each controlled design: time to the primary event with patients at risk; the worst that happened to each patient; the effect when
        those who left fare worse (`figure_rows`).
    power, sizes
        Power over the size of the trial; size for 80 and 90 % power.
    estimates
        The primary estimate of every replicate: (design, scenario) -> `Estimate` of the first comparison.
    behind
        Design -> the virtual people behind the patients of one trial.
    """

    protocol: Protocol
    code: str
    visit: str
    better: int
    replicates: int
    results: pd.DataFrame
    courses: pd.DataFrame
    parts: pd.DataFrame
    evidence: pd.DataFrame
    patients: pd.DataFrame
    free: pd.DataFrame
    adverse: pd.DataFrame
    flow: pd.DataFrame
    slopes: pd.DataFrame
    baseline: pd.DataFrame
    remission: pd.DataFrame
    one_trial: pd.DataFrame
    multiple_tests: pd.DataFrame
    looks: pd.DataFrame
    looked: pd.DataFrame
    claimed: pd.DataFrame
    survival: pd.DataFrame
    hierarchy: pd.DataFrame
    tipping: pd.DataFrame
    power: pd.DataFrame
    sizes: pd.DataFrame
    estimates: Mapping[tuple[str, str], Estimate] = field(repr=False)
    behind: Mapping[str, Behind] = field(default_factory=dict)

    def result(self, design: str, scenario: str, stratum: str = "all", endpoint: str = "primary") -> dict[str, Any]:
        """Return the first matching row of `results`; empty where there is none."""
        table = self.results
        keep = (table["design"] == design) & (table["scenario"] == scenario) & (table["stratum"] == stratum)
        rows = table[keep & (table["role"] == endpoint)].to_dict("records")
        return {str(key): value for key, value in rows[0].items()} if rows else {}

    def assurance(self, design: str) -> float:
        """Return the chance that a design shows a benefit if every scenario is held equally probable."""
        rows = [self.result(design, str(h)) for h in dict.fromkeys(self.results["scenario"])]
        return assurance([row["improved"] for row in rows], [1.0] * len(rows))

    @property
    def single(self) -> list[str]:
        """Designs without a control group."""
        return [name for name, design in self.protocol.designs.items() if not endpoints.has_comparator(design)]

    @property
    def controlled(self) -> list[str]:
        """Designs that compare cells with no cells."""
        return [
            name
            for name, design in self.protocol.designs.items()
            if endpoints.has_comparator(design)
            and any(tests_cells(self.protocol, comparison) for comparison in comparisons(self.protocol, name))
        ]


def assess(
    run: TrialRun,
    larger: Mapping[str, TrialRun] | None = None,
    replicates_of_parts: int = 300,
    progress: Progress | None = None,
) -> Assessment:
    """Gather every number of a run.

    Parameters
    ----------
    larger
        Variant -> run of `enlarged` protocols, for power over size; the run itself by default.
    replicates_of_parts
        Replicates from which courses, true effects and parts of changes are averaged, which costs most of the time.
    """
    import pandas as pd

    protocol = run.protocol
    primary = protocol.endpoints.primary
    rows: dict[str, list[Any]] = {
        name: []
        for name in (
            "results",
            "courses",
            "parts",
            "patients",
            "free",
            "adverse",
            "flow",
            "slopes",
            "baseline",
            "remission",
            "one_trial",
            "multiple_tests",
            "looks",
            "looked",
            "claimed",
            "survival",
            "hierarchy",
            "tipping",
        )
    }
    estimates: dict[tuple[str, str], Estimate] = {}
    for number, ((design, scenario), full_data) in enumerate(run.items()):
        if progress is not None:
            progress(f"{design}, {scenario}", number, len(run))
        data = replicate_summaries.remembered(full_data)
        keys = {"design": design, "scenario": scenario}
        first = comparisons(protocol, design)[0]
        estimates[design, scenario] = analyse(data, primary, first)
        typical = replicate_summaries.typical(estimates[design, scenario])
        rows["one_trial"] += one_trial(full_data, keys, typical)
        if first.control is not None:
            for name, of_typical in figure_rows.ROWS.items():
                rows[name] += of_typical(full_data, keys, typical)
        some = data.select(range(min(replicates_of_parts, data.replicates)))
        rows["courses"] += rows_of.course_rows(some, keys)
        rows["parts"] += rows_of.change_part_rows(some, keys)
        rows["results"] += rows_of.results(data, some, keys, scenario == run.scenarios[0])
        rows["patients"].append(rows_of.patients(data, keys, typical))
        rows["free"] += rows_of.free(data, keys)
        rows["adverse"] += rows_of.adverse_event_rows(data, keys)
        rows["flow"].append(keys | rows_of.flow(data))
        rows["slopes"] += rows_of.slope_rows(data, keys)
        rows["multiple_tests"] += multiplicity_rows(data)
        for looked in look_rows(full_data, scenario == run.scenarios[0]):
            names = keys | {name: looked[name] for name in ("treated", "control")}
            rows["looks"] += [names | look for look in looked["looks"]]
            rows["claimed"] += [keys | claim for claim in looked.get("claims", [])]
            rows["looked"].append({name: value for name, value in looked.items() if name not in ("looks", "claims")})
        rows["remission"] += rows_of.remission_rows(some, keys)
        if scenario == next(iter(run.scenarios)):
            rows["baseline"] += rows_of.baseline(data, design)
    tables = {name: pd.DataFrame(table_rows) for name, table_rows in rows.items() if name != "patients"}
    power, sizes = power_and_sizes(run, larger or {})
    return Assessment(
        protocol=as_run(run),
        code=endpoints.described_code(protocol, primary),
        visit=endpoints.endpoint_visit(protocol, primary),
        better=endpoints.direction(primary),
        replicates=next(iter(run.values())).replicates,
        patients=pd.concat(rows["patients"], ignore_index=True),
        evidence=pd.DataFrame(rows_of.likelihood_ratio_rows(run, estimates)),
        power=power,
        sizes=sizes,
        estimates=estimates,
        behind={design: behind(run[design, run.scenarios[0]].member) for design in run.designs},
        **tables,
    )


def as_run(run: TrialRun) -> Protocol:
    """Return the protocol with the designs and arms that were run, and no others."""
    designs = {name: run.protocol.designs[name] for name in run.designs}
    used = {arm for design in designs.values() for arm in design.arms}
    arms = {name: arm for name, arm in run.protocol.arms.items() if name in used}
    return run.protocol.model_copy(update={"designs": designs, "arms": arms})
