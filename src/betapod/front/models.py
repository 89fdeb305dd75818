"""Models by name, what can be turned in them, and what they and trials measure, as tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from ..base.errors import ModelError, Problem
from ..model import Model, ParameterTable
from ..physiology import whole_body

if TYPE_CHECKING:
    import pandas as pd

    from ..model.bibliography import BibliographyEntry

#: What reads a model from a file, by the end of its name.
_READERS = {
    ".txt": "betapod.assemble(name, [betapod.Part.from_file(file)], betapod.ParameterTable.read(table))",
    ".xml": "betapod.read_sbml(file)",
    ".sbml": "betapod.read_sbml(file)",
    ".cellml": "betapod.read_cellml(file)",
}


def load_model(name: str = "kidney", overlays: Iterable[str | Path | ParameterTable] = ()) -> Model:
    """Return a named model.

    Parameters
    ----------
    name
        One of `list_models`.
    overlays
        Parameter tables that override the model's own rows, in this order: tables, CSV files, or names of overlays that
        installed packages provide (entry points of the group ``betapod.overlays``).

    Returns
    -------
    Model
        States, equations, events, parameters and inputs; the same object each time where no overlay is given.

    Raises
    ------
    ModelError
        There is no such model; the nearest name is told.
    ParameterError
        Everything wrong with the overlays: unknown rows, units that do not fit.

    Examples
    --------
    >>> import betapod
    >>> kidney = betapod.load_model("kidney")
    >>> kidney
    <Model kidney: 25 states, 134 equations, 281 parameters, 36 inputs>
    >>> kidney.units["GFR"]
    'mL/min'
    """
    from ..base.arguments import several
    from ..base.plugins import overlay_file

    ending = Path(str(name)).suffix
    if ending in _READERS:
        message, hint = f"{str(name)!r} is a file, not the name of a model", f"Read it by {_READERS[ending]}."
        raise ModelError(Problem("unknown-model", message, expected=", ".join(whole_body.NAMES), hint=hint))
    model = whole_body.named_model(name)
    tables = [
        overlay if isinstance(overlay, ParameterTable) else ParameterTable.read(overlay_file(overlay))
        for overlay in several("overlays", overlays, (str, PathLike, ParameterTable))
    ]
    return model.overlay(*tables) if tables else model


def list_overlays() -> pd.DataFrame:
    """Return the parameter overlays of installed packages (entry points of the group ``betapod.overlays``).

    Returns
    -------
    pandas.DataFrame
        One row per overlay: ``name``, ``rows``, ``file``. Its name is what `load_model` takes.

    Examples
    --------
    >>> import betapod
    >>> list(betapod.list_overlays().columns)
    ['name', 'rows', 'file']
    """
    import pandas as pd

    from ..base import plugins

    files = plugins.plugin_files("overlays", (), ParameterTable.read)
    rows = [(name, len(ParameterTable.read(path)), str(path)) for name, path in files.items()]
    return pd.DataFrame(rows, columns=["name", "rows", "file"])


def list_models() -> pd.DataFrame:
    """Return the models of the package.

    Returns
    -------
    pandas.DataFrame
        One row per model: ``name``, ``summary``, ``submodels`` (how many).

    Examples
    --------
    >>> import betapod
    >>> models = betapod.list_models()
    >>> "reference" in set(models["name"])
    True
    """
    import pandas as pd

    rows = [(name, whole_body.assembly(name).summary, len(whole_body.submodels(name))) for name in whole_body.NAMES]
    return pd.DataFrame(rows, columns=["name", "summary", "submodels"])


def list_scenarios() -> pd.DataFrame:
    """Return the scenarios: what cells are supposed to do.

    Returns
    -------
    pandas.DataFrame
        One row per scenario: ``name``, ``label``, ``description``.

    Examples
    --------
    >>> import betapod
    >>> list(betapod.list_scenarios()["name"])
    ['none', 'current-evidence', 'face-value', 'seed-claims']
    """
    import pandas as pd

    from ..therapies.scenarios import SCENARIOS

    rows = [(scenario.name, scenario.label, scenario.description) for scenario in SCENARIOS.values()]
    return pd.DataFrame(rows, columns=["name", "label", "description"])


def list_switches() -> pd.DataFrame:
    """Return the mechanisms of cell therapy that can be turned on (1) and off (0).

    Returns
    -------
    pandas.DataFrame
        One row per switch, an input of the models: ``name``, ``label``, ``default`` (in the model `reference`), ``scenarios`` in which
        turning it changes the course of kidney or metabolism, ``submodels`` with the equations in which it stands.

    Examples
    --------
    >>> import betapod
    >>> switches = betapod.list_switches().set_index("name")
    >>> "sw_filtration" in switches.index
    True
    """
    import pandas as pd

    from ..therapies.mechanism_switches import mechanism_switches

    rows = [
        (
            *(switch.name, switch.label, switch.defaults.get("reference", next(iter(switch.defaults.values())))),
            *(
                ", ".join(switch.scenarios),
                ", ".join(dict.fromkeys(equation.submodel for equation in switch.equations)),
            ),
        )
        for switch in mechanism_switches().values()
    ]
    return pd.DataFrame(rows, columns=["name", "label", "default", "scenarios", "submodels"])


def list_drugs() -> pd.DataFrame:
    """Return the drugs, insulins and diets that `plan` and protocols take.

    Returns
    -------
    pandas.DataFrame
        One row per therapy: ``name``, ``class`` (a person takes one drug of a class), ``kind`` (``drug``, ``insulin``, ``diet``,
        ``other``), ``substance``, ``atc`` (code of the WHO), ``route``, ``doses``, ``names`` (brands and short forms that are understood).

    Examples
    --------
    >>> import betapod
    >>> drugs = betapod.list_drugs().set_index("name")
    >>> drugs.loc["empagliflozin", "class"]
    'SGLT2 inhibitor'
    >>> drugs.loc["empagliflozin", "doses"]
    '10 mg/day, 25 mg/day'
    """
    import pandas as pd

    from ..therapies.drug_cards import drug_list

    rows = [{**row, "doses": ", ".join(row["doses"]), "names": ", ".join(row["names"])} for row in drug_list()]
    return pd.DataFrame(rows)


def show_drug(name: str) -> pd.DataFrame:
    """Return what a drug does, with the origin of its numbers.

    Parameters
    ----------
    name
        A drug, a brand, or a class, whose drugs are all shown.

    Returns
    -------
    pandas.DataFrame
        One row per drug, dose and quantity: ``name``, ``dose``, ``dose_unit``, ``quantity`` (an input of the models), ``label``, ``rule`` (how
        it combines), ``value``, ``unit``, ``onset``, ``offset`` and ``lasts`` (days), ``role``, ``source``, ``grade``, ``note``.

    Raises
    ------
    ConfigError
        There is no such drug; the nearest is named.

    Examples
    --------
    >>> import betapod
    >>> effects = betapod.show_drug("Jardiance")
    >>> sorted(set(effects["quantity"]))
    ['dMAP', 'dWt', 'e_S', 'phiS', 'xEd']
    """
    import pandas as pd

    from ..therapies.drug_cards import drug_effects, drugs_named

    rows = [{"name": drug, **effect} for drug in drugs_named(name) for effect in drug_effects(drug)]
    names = ["name", "dose", "dose_unit", "quantity", "label", "rule", "value", "unit", "onset", "offset", "lasts"]
    return pd.DataFrame(rows, columns=[*names, "role", "source", "grade", "note"])


def list_observables() -> pd.DataFrame:
    """Return everything that is measured of people.

    Returns
    -------
    pandas.DataFrame
        One row per observable, indexed by its name: ``label``, ``paramcd`` (CDISC ADaM, empty where trials do not measure it), ``unit``,
        ``ucum``, ``loinc``, ``link`` (``log`` where changes are ratios), ``better``, ``model`` (expression in names of the coupled model);
        ``error`` (SD of one measurement, on ``error_scale``) with ``error_grade``; ``life`` (SD that a year of life adds, as a share) with
        ``life_years``; ``low`` and ``high`` (possible values of an adult).

    Examples
    --------
    >>> import betapod
    >>> observables = betapod.list_observables()
    >>> observables.loc["UACR", "unit"]
    'mg/g'
    >>> float(observables.loc["UACR", "error"])
    0.50947
    """
    from ..observables.table import observables_table

    return observables_table()


def cite(model: Model, bibliography: Mapping[str, BibliographyEntry] | None = None) -> str:
    """Return BibTeX of exactly the works that a model's rows cite, grouped by the reason.

    A comment above each entry names the rows that rest on it, with the place in the work.

    Parameters
    ----------
    model
        Any model.
    bibliography
        Works by key; betapod's own by default.

    Returns
    -------
    str
        BibTeX; keys that the bibliography lacks are listed in a comment.

    Raises
    ------
    ModelError
        This is no model.

    Examples
    --------
    >>> import betapod
    >>> text = betapod.cite(betapod.load_model("topp2000"))
    >>> "literature" in text
    True
    """
    from ..model.bibliography import Bibliography
    from ..model.bibliography import bibtex_of as bibtex

    return bibtex(model, Bibliography.read(whole_body.BIBLIOGRAPHY) if bibliography is None else bibliography)
