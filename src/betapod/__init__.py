"""In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease.

Everything a user needs stands here; the names are imported when first used, so that ``import betapod`` costs almost nothing.

=============  ==================================================================================================
models         load_model  list_models  list_overlays  assemble  Model  Submodel  Part  Parameter  ParameterTable
               render  read_sbml  read_cellml  write_sbml  write_wasm  cite  Bibliography
simulation     simulate  Result  Ensemble  EnsembleResult  EnsembleSummary  Schedule  Dose  Switch
therapies      plan  Plan  list_drugs  show_drug  harms  list_scenarios  list_switches
               list_complications  show_complication
people         load_person  list_people  draw_patients  load_library  Library  list_cohorts
               select_cohort  SelectedCohort
one person     read_labs  forecast_patient  kidney_risks  validate_forecasts  write_explorer
trials         list_protocols  load_protocol  Protocol  run_trial  open_trial  TrialRun  size_trial
               SizedTrial  write_report  export_cdisc  read_adam  check_adam
analyses       analyses: mixed models, slopes, times to events, rates, wins, several tests, on arrays of one's own
designs        designs: boundaries, sizes, inference after stopping and adaptations, by functions of their own
value          run_value  open_value
fits           fit_own_data  read_petab  evaluate_petab  fit_petab
other tools    simulate_nonmem  write_nonmem  write_archive  write_trial_archive  run_sedml
               write_sedml_results  solve_flux_balance
evidence       load_evidence  Registry  pool  Pooled  grade  list_claims  judge_claims  Ledger
               answer  Answer
validation     validate  Scorecard  confront  Confrontation  how_trusted  trusted_numbers
sensitivity    sensitivity_indices  trial_sensitivity  verdict_sensitivity  verdicts_by_number
               identify_numbers  likelihood_profiles
vocabulary     list_observables  convert
errors         errors: the family of exceptions, each with what is wrong, where, and what to do
=============  ==================================================================================================

What begins with ``list_`` returns a table of what can be named, with ``load_`` one thing by its name. Results show themselves in
notebooks; they have ``table`` with ``units``, ``plot``, ``to_csv`` and ``to_parquet``.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .base import errors as errors
    from .claims.ledger import Ledger as Ledger
    from .engine.ensemble import Ensemble as Ensemble
    from .engine.ensemble_result import EnsembleResult as EnsembleResult
    from .engine.ensemble_summary import EnsembleSummary as EnsembleSummary
    from .engine.schedule import Dose as Dose
    from .engine.schedule import Schedule as Schedule
    from .engine.schedule import Switch as Switch
    from .engine.scipy.simulation_result import Result as Result
    from .evidence.records.registry import Registry as Registry
    from .evidence.synthesis.certainty import grade as grade
    from .evidence.synthesis.pool import pool as pool
    from .evidence.synthesis.pooled import Pooled as Pooled
    from .exchange import read_cellml as read_cellml
    from .exchange import read_sbml as read_sbml
    from .exchange import solve_flux_balance as solve_flux_balance
    from .exchange import write_sbml as write_sbml
    from .exchange import write_wasm as write_wasm
    from .exchange.archive.trial_archive import write_trial_archive as write_trial_archive
    from .exchange.archive.write_archive import write_archive as write_archive
    from .exchange.cdisc.adam_reader import read_adam as read_adam
    from .exchange.cdisc.check_adam import check_adam as check_adam
    from .exchange.cdisc.export_cdisc import export_cdisc as export_cdisc
    from .exchange.petab.petab_fit import fit_petab as fit_petab
    from .exchange.petab.petab_objective import evaluate_petab as evaluate_petab
    from .exchange.petab.petab_reader import read_petab as read_petab
    from .exchange.sedml.run_sedml import run_sedml as run_sedml
    from .explorer.explorer_kept import write_explorer as write_explorer
    from .front.comparisons import open_value as open_value
    from .front.comparisons import run_value as run_value
    from .front.data_sets import simulate_nonmem as simulate_nonmem
    from .front.data_sets import write_nonmem as write_nonmem
    from .front.fitting import fit_own_data as fit_own_data
    from .front.judging import answer as answer
    from .front.judging import confront as confront
    from .front.judging import judge_claims as judge_claims
    from .front.judging import list_claims as list_claims
    from .front.judging import load_evidence as load_evidence
    from .front.judging import validate as validate
    from .front.models import cite as cite
    from .front.models import list_drugs as list_drugs
    from .front.models import list_models as list_models
    from .front.models import list_observables as list_observables
    from .front.models import list_overlays as list_overlays
    from .front.models import list_scenarios as list_scenarios
    from .front.models import list_switches as list_switches
    from .front.models import load_model as load_model
    from .front.models import show_drug as show_drug
    from .front.one_patient import forecast_patient as forecast_patient
    from .front.one_patient import kidney_risks as kidney_risks
    from .front.one_patient import read_labs as read_labs
    from .front.one_patient import validate_forecasts as validate_forecasts
    from .front.people import draw_patients as draw_patients
    from .front.people import list_cohorts as list_cohorts
    from .front.people import list_people as list_people
    from .front.people import load_library as load_library
    from .front.people import load_person as load_person
    from .front.people import select_cohort as select_cohort
    from .front.quantities import convert as convert
    from .front.risks import harms as harms
    from .front.risks import list_complications as list_complications
    from .front.risks import show_complication as show_complication
    from .front.sedml_folder import write_sedml_results as write_sedml_results
    from .front.sensitivities import identify_numbers as identify_numbers
    from .front.sensitivities import likelihood_profiles as likelihood_profiles
    from .front.sensitivities import sensitivity_indices as sensitivity_indices
    from .front.sensitivities import trial_sensitivity as trial_sensitivity
    from .front.sensitivities import verdict_sensitivity as verdict_sensitivity
    from .front.sensitivities import verdicts_by_number as verdicts_by_number
    from .front.simulations import simulate as simulate
    from .front.trials import list_protocols as list_protocols
    from .front.trials import load_protocol as load_protocol
    from .front.trials import open_trial as open_trial
    from .front.trials import run_trial as run_trial
    from .front.trials import size_trial as size_trial
    from .front.trials import write_report as write_report
    from .front.trusting import how_trusted as how_trusted
    from .front.trusting import trusted_numbers as trusted_numbers
    from .model.assembly.assemble import assemble as assemble
    from .model.assembly.model import Model as Model
    from .model.assembly.submodel import Part as Part
    from .model.assembly.submodel import Submodel as Submodel
    from .model.bibliography import Bibliography as Bibliography
    from .model.parameters.table import Parameter as Parameter
    from .model.parameters.table import ParameterTable as ParameterTable
    from .model.printing.render import render as render
    from .patients.cohorts.reweight import SelectedCohort as SelectedCohort
    from .patients.library import Library as Library
    from .report.answer.whole_answer import Answer as Answer
    from .therapies.plan import Plan as Plan
    from .therapies.plan import plan as plan
    from .trials import array_analyses as analyses
    from .trials import designs as designs
    from .trials.conduct.trial_run import TrialRun as TrialRun
    from .trials.operating.size_search import SizedTrial as SizedTrial
    from .trials.protocol.protocol import Protocol as Protocol
    from .validation.predictions.campaign import Confrontation as Confrontation
    from .validation.scorecard.scorecard import Scorecard as Scorecard

#: Public names that are modules, with names of their own.
_MODULES = ("analyses", "designs", "errors")
#: Public names, each with the module that holds it.
_PUBLIC = {
    "Answer": "report.answer.whole_answer",
    "Bibliography": "model.bibliography",
    "Confrontation": "validation.predictions.campaign",
    "Dose": "engine.schedule",
    "Ensemble": "engine.ensemble",
    "EnsembleResult": "engine.ensemble_result",
    "EnsembleSummary": "engine.ensemble_summary",
    "Ledger": "claims.ledger",
    "Library": "patients.library",
    "Model": "model.assembly.model",
    "Parameter": "model.parameters.table",
    "ParameterTable": "model.parameters.table",
    "Part": "model.assembly.submodel",
    "Plan": "therapies.plan",
    "Pooled": "evidence.synthesis.pooled",
    "Protocol": "trials.protocol.protocol",
    "Registry": "evidence.records.registry",
    "Result": "engine.scipy.simulation_result",
    "Schedule": "engine.schedule",
    "Scorecard": "validation.scorecard.scorecard",
    "SelectedCohort": "patients.cohorts.reweight",
    "SizedTrial": "trials.operating.size_search",
    "Submodel": "model.assembly.submodel",
    "Switch": "engine.schedule",
    "TrialRun": "trials.conduct.trial_run",
    "analyses": "trials.array_analyses",
    "answer": "front.judging",
    "assemble": "model.assembly.assemble",
    "check_adam": "exchange.cdisc.check_adam",
    "cite": "front.models",
    "confront": "front.judging",
    "convert": "front.quantities",
    "designs": "trials.designs",
    "draw_patients": "front.people",
    "errors": "base.errors",
    "evaluate_petab": "exchange.petab.petab_objective",
    "export_cdisc": "exchange.cdisc.export_cdisc",
    "fit_own_data": "front.fitting",
    "fit_petab": "exchange.petab.petab_fit",
    "forecast_patient": "front.one_patient",
    "grade": "evidence.synthesis.certainty",
    "harms": "front.risks",
    "how_trusted": "front.trusting",
    "judge_claims": "front.judging",
    "kidney_risks": "front.one_patient",
    "list_claims": "front.judging",
    "list_cohorts": "front.people",
    "list_complications": "front.risks",
    "list_drugs": "front.models",
    "list_models": "front.models",
    "list_observables": "front.models",
    "list_overlays": "front.models",
    "list_people": "front.people",
    "list_protocols": "front.trials",
    "list_scenarios": "front.models",
    "list_switches": "front.models",
    "load_evidence": "front.judging",
    "load_library": "front.people",
    "load_model": "front.models",
    "load_person": "front.people",
    "load_protocol": "front.trials",
    "open_trial": "front.trials",
    "open_value": "front.comparisons",
    "plan": "therapies.plan",
    "pool": "evidence.synthesis.pool",
    "read_adam": "exchange.cdisc.adam_reader",
    "read_labs": "front.one_patient",
    "read_petab": "exchange.petab.petab_reader",
    "read_cellml": "exchange",
    "read_sbml": "exchange",
    "render": "model.printing.render",
    "run_sedml": "exchange.sedml.run_sedml",
    "run_trial": "front.trials",
    "run_value": "front.comparisons",
    "select_cohort": "front.people",
    "sensitivity_indices": "front.sensitivities",
    "show_complication": "front.risks",
    "show_drug": "front.models",
    "simulate": "front.simulations",
    "simulate_nonmem": "front.data_sets",
    "size_trial": "front.trials",
    "solve_flux_balance": "exchange",
    "trial_sensitivity": "front.sensitivities",
    "trusted_numbers": "front.trusting",
    "validate": "front.judging",
    "validate_forecasts": "front.one_patient",
    "identify_numbers": "front.sensitivities",
    "likelihood_profiles": "front.sensitivities",
    "verdict_sensitivity": "front.sensitivities",
    "verdicts_by_number": "front.sensitivities",
    "write_archive": "exchange.archive.write_archive",
    "write_nonmem": "front.data_sets",
    "write_report": "front.trials",
    "write_sedml_results": "front.sedml_folder",
    "write_sbml": "exchange",
    "write_trial_archive": "exchange.archive.trial_archive",
    "write_wasm": "exchange",
    "write_explorer": "explorer.explorer_kept",
}

__all__ = [
    "Answer",
    "Bibliography",
    "Confrontation",
    "Dose",
    "Ensemble",
    "EnsembleResult",
    "EnsembleSummary",
    "Ledger",
    "Library",
    "Model",
    "Parameter",
    "ParameterTable",
    "Part",
    "Plan",
    "Pooled",
    "Protocol",
    "Registry",
    "Result",
    "Schedule",
    "Scorecard",
    "SelectedCohort",
    "SizedTrial",
    "Submodel",
    "Switch",
    "TrialRun",
    "__version__",
    "analyses",
    "answer",
    "assemble",
    "check_adam",
    "cite",
    "confront",
    "convert",
    "designs",
    "draw_patients",
    "errors",
    "evaluate_petab",
    "export_cdisc",
    "fit_own_data",
    "fit_petab",
    "forecast_patient",
    "grade",
    "harms",
    "how_trusted",
    "identify_numbers",
    "judge_claims",
    "kidney_risks",
    "likelihood_profiles",
    "list_claims",
    "list_cohorts",
    "list_complications",
    "list_drugs",
    "list_models",
    "list_observables",
    "list_overlays",
    "list_people",
    "list_protocols",
    "list_scenarios",
    "list_switches",
    "load_evidence",
    "load_library",
    "load_model",
    "load_person",
    "load_protocol",
    "open_trial",
    "open_value",
    "plan",
    "pool",
    "read_adam",
    "read_cellml",
    "read_labs",
    "read_petab",
    "read_sbml",
    "render",
    "run_sedml",
    "run_trial",
    "run_value",
    "select_cohort",
    "sensitivity_indices",
    "show_complication",
    "show_drug",
    "simulate",
    "simulate_nonmem",
    "size_trial",
    "solve_flux_balance",
    "trial_sensitivity",
    "trusted_numbers",
    "validate",
    "validate_forecasts",
    "verdict_sensitivity",
    "verdicts_by_number",
    "write_archive",
    "write_explorer",
    "write_nonmem",
    "write_report",
    "write_sbml",
    "write_sedml_results",
    "write_trial_archive",
    "write_wasm",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = import_module(f".{_PUBLIC[name]}", __name__)
    value = module if name in _MODULES else getattr(module, name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
