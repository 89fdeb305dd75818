"""What the shell completes: names of models and of what is in them, people, drugs, orders of cells, claims, studies, protocols."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from ..base.errors import BetapodError
from . import kept

if TYPE_CHECKING:
    from ..therapies.cell_products import Product

#: Endings of files that hold models, and a limit to how many files are offered.
_MODELS, _MOST = (".txt", ".model", ".py", ".xml", ".sbml", ".cellml"), 50


def starting(words: Iterable[str], incomplete: str) -> list[str]:
    """Return the words that begin as what was typed, whatever its case."""
    return [word for word in words if word.lower().startswith(incomplete.lower())]


def files(incomplete: str, endings: tuple[str, ...] = (), folders: bool = False) -> list[str]:
    """Return files with such endings, or folders, whose names begin as what was typed."""
    beside, _, start = incomplete.rpartition("/")
    folder = Path(f"{beside}/") if "/" in incomplete else Path()
    try:
        paths = sorted(path for path in folder.iterdir() if path.name.startswith(start))
    except OSError:
        return []
    wanted = (path for path in paths if (path.is_dir() if folders else path.suffix.lower() in endings))
    return [str(path) for path in wanted][:_MOST]


# -- models ----------------------------------------------------------------------------------------------------------


def complete_model(incomplete: str) -> list[str]:
    """Complete the name of a model, or of a file that may hold one."""
    return [*starting(kept.model_names(), incomplete), *files(incomplete, _MODELS)]


def complete_other(incomplete: str) -> list[str]:
    """Complete the name of a model, or of a table of parameters."""
    return [*complete_model(incomplete), *files(incomplete, (".csv",))]


def _names(context: typer.Context, *kinds: str) -> list[str]:
    """Return names of the model on the command line: of ``states``, ``assignments``, ``parameters``, ``inputs``, ``parts``."""
    name = str(context.params.get("model") or context.params.get("first") or next(iter(context.args), ""))
    if name in kept.model_names():
        facts = kept.model_contents(name)
        return [name_of for kind in kinds for name_of in facts[kind]]
    from .shared import model_from

    try:
        model = model_from(name) if name else None
    except (BetapodError, OSError):
        return []
    if model is None:
        return []
    parts = [str(part.name) for part in model.parts if hasattr(part, "name")]
    every = {
        "states": model.state_names,
        "assignments": model.assignments,
        "parameters": model.parameters,
        "inputs": model.inputs,
        "parts": parts,
    }
    return [name_of for kind in kinds for name_of in every[kind]]


def complete_setting(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``NAME=`` of a parameter or input, then nothing."""
    return [f"{name}=" for name in starting(_names(context, "inputs", "parameters"), incomplete)]


def complete_parameter(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the id of a parameter or input."""
    return starting(_names(context, "inputs", "parameters"), incomplete)


def complete_state(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``STATE=``."""
    return [f"{name}=" for name in starting(_names(context, "states"), incomplete)]


def complete_input(context: typer.Context, incomplete: str) -> list[str]:
    """Complete ``INPUT=``."""
    return [f"{name}=" for name in starting(_names(context, "inputs"), incomplete)]


def complete_output(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the last of comma-separated names."""
    before, comma, last = incomplete.rpartition(",")
    names = _names(context, "states", "assignments", "parameters", "inputs")
    return [f"{before}{comma}{name}" for name in starting(names, last)]


def complete_value(incomplete: str) -> list[str]:
    """Complete ``NAME=`` of what a person's metabolism has."""
    facts = kept.model_contents("metabolism")
    return [f"{name}=" for name in starting([*facts["states"], *facts["inputs"], *facts["parameters"]], incomplete)]


def complete_submodel(context: typer.Context, incomplete: str) -> list[str]:
    """Complete the name of a submodel."""
    return starting(_names(context, "parts"), incomplete)


def complete_switch(incomplete: str) -> list[str]:
    """Complete the name of a mechanism switch."""
    names = dict.fromkeys(
        input_name for name in kept.model_names() for input_name in kept.model_contents(name)["inputs"]
    )
    return starting((name for name in names if name.startswith("sw_")), incomplete)


# -- people and treatments -------------------------------------------------------------------------------------------


def complete_patient(incomplete: str) -> list[str]:
    """Complete the name of a typical person, those with kidney disease included."""
    from ..person import typical
    from ..person.older import OLDER

    return starting((*typical.typical_names(), *OLDER), incomplete)


def complete_drug(incomplete: str) -> list[str]:
    """Complete a therapy with its dose."""
    from ..therapies import standard_care

    return starting(
        (f"{name} {dose}" for name, doses in standard_care.catalogue().items() for dose in doses), incomplete
    )


def complete_drug_name(incomplete: str) -> list[str]:
    """Complete a drug, a class of drugs or a brand, without dose."""
    from ..therapies.drug_catalogue import catalogued_drugs, drug_classes

    drugs = catalogued_drugs()
    names = [*drugs, *drug_classes(), *(name for drug in drugs.values() for name in drug.names)]
    return starting(dict.fromkeys(names), incomplete)


def complete_scenario(incomplete: str) -> list[str]:
    """Complete the name of a scenario of cell therapy."""
    from ..therapies.scenarios import SCENARIOS

    return starting(SCENARIOS, incomplete)


def complete_cells(incomplete: str) -> list[str]:
    """Complete an order of cells word by word: product, dose, route, repeats, what is special about it."""
    from ..therapies.cell_order import CONDITIONS, WORDS
    from ..therapies.cell_products import PRODUCTS

    typed = incomplete.split()
    product = next(
        (candidate for name, candidate in PRODUCTS.items() if typed and name.lower() == typed[0].lower()), None
    )
    if product is None or incomplete == typed[0]:
        return starting(PRODUCTS, incomplete)
    done, last = (typed, "") if incomplete.endswith(" ") else (typed[:-1], typed[-1])
    if len(done) == 1:
        words: Iterable[str] = _doses(product)
    elif len(done) == 2 and done[1].isdigit() and len(done[1]) < 6:
        # So few are none: the unit is still to come.
        words = ("million",) if product.kind == "infused" else ("million", "IEQ", "IEQ/kg")
    elif not set(done) & set(product.routes):
        words = product.routes
    else:
        every = () if any(word.startswith("q") for word in done) else ("x3 q28d", "x2 q7d", "x4 q12w")
        unfit = CONDITIONS if product.kind == "graft" else ()
        words = [*every, *(word for word in WORDS if word not in (*done, *unfit))]
    return [" ".join((*done, word)) for word in starting(words, last)]


def _doses(product: Product) -> list[str]:
    """Return the usual dose of a product and the ends of its range, as orders write them."""
    from ..physiology.whole_body import PARAMETERS

    if not product.dose:
        return ["11900 IEQ/kg"] if product.kind == "graft" else ["1e6/kg", "100e6"]
    with (PARAMETERS / "cell_products.csv").open(encoding="utf-8", newline="") as file:
        row = next(row for row in csv.DictReader(file) if row["id"] == product.dose)
    per = "/kg" if row["unit"].endswith("/kg") else ""
    doses = dict.fromkeys(float(row[name]) for name in ("value", "low", "high"))
    return [f"{dose:g}e6{per}" for dose in doses]


# -- evidence, claims, trials ----------------------------------------------------------------------------------------


def complete_term(column: str) -> Callable[[str], list[str]]:
    """Return what completes words of a column of the registry, such as endpoints."""

    def complete(incomplete: str) -> list[str]:
        return starting(kept.term_counts(column), incomplete)

    return complete


def complete_study(incomplete: str) -> list[str]:
    """Complete the name of a study or family."""
    return starting(sorted({*kept.term_counts("study"), *kept.term_counts("family")}), incomplete)


def complete_table(incomplete: str) -> list[str]:
    """Complete the name of a table."""
    return files(incomplete, (".csv",))


def complete_claim(incomplete: str) -> list[str]:
    """Complete the id of a claim."""
    return starting(kept.claims(), incomplete)


def complete_verdict(incomplete: str) -> list[str]:
    """Complete a verdict."""
    from ..claims.claim_verdict import VERDICTS

    return starting(VERDICTS, incomplete)


def complete_reader(incomplete: str) -> list[str]:
    """Complete whom a text of the answer is for."""
    from ..report.answer.answer_texts import READERS

    return starting(READERS, incomplete)


def complete_protocol(incomplete: str) -> list[str]:
    """Complete the name of a protocol, or of a file that may hold one."""
    return [*starting(kept.protocols(), incomplete), *files(incomplete, (".yaml", ".yml"))]


def complete_run(incomplete: str) -> list[str]:
    """Complete a protocol or a run folder."""
    return [*starting(kept.protocols(), incomplete), *files(incomplete, folders=True)]


def complete_folder(incomplete: str) -> list[str]:
    """Complete a folder."""
    return files(incomplete, folders=True)


def complete_cohort(incomplete: str) -> list[str]:
    """Complete the name of a real cohort, or of a file that describes one."""
    return [*starting(kept.kept_cohorts(), incomplete), *files(incomplete, (".yaml", ".yml", ".csv"))]
