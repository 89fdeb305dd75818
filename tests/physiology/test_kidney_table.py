"""The kidney as an assembly: its table, its provenance, its names."""

import math
import re

import pytest

from betapod.base.constants import Z95
from betapod.base.errors import ModelError
from betapod.model import ParameterTable
from betapod.physiology import whole_body

MODEL = whole_body.named_model("kidney")
TABLE = ParameterTable.read(whole_body.PARAMETERS / "kidney.csv", sources=whole_body.bibliography_keys())


def test_every_row_is_used():
    assert not [key for key in TABLE if key not in MODEL.parameters and key not in MODEL.inputs]


def test_every_quantity_has_a_label_and_every_value_lies_in_a_finite_range():
    assert not [name for name in MODEL.names if not MODEL.labels[name]]
    assert not TABLE.implausible()
    assert all(math.isfinite(row.low) and math.isfinite(row.high) for row in TABLE.values())


def test_only_what_a_source_states_cites_it():
    cited = [row for row in TABLE.values() if row.source]
    assert {row.role for row in cited} == {"literature", "derived", "calibrated", "tuned"}
    keys = whole_body.bibliography_keys()
    assert not [row.id for row in cited if not row.locator or not set(re.split(r"[;\s]+", row.source)) <= keys]
    # A calibrated or tuned value was not read in the work: the locator says that only its data were.
    for role in ("calibrated", "tuned"):
        assert {row.locator.startswith(f"{role} to: ") for row in cited if row.role == role} == {True}
        assert not [row.id for row in cited if row.role != role and row.locator.startswith(role)]
    # Numbers read in the source code of a model were not measured in man.
    assert all(row.grade == "B" for row in TABLE.values() if row.source in ("hallow2016", "cardiorenal_code"))
    assert all(row.note for row in TABLE.values() if row.role in ("derived", "assumed"))


def test_ranges_that_nobody_measured_say_so():
    silent = [
        row.id
        for row in TABLE.values()
        if row.role in ("calibrated", "tuned", "memory", "assumed", "input") and "range" not in row.note
    ]
    assert not silent


@pytest.mark.parametrize("name", ["xi", "xi_h", "xi_theta", "xi_vessel"])
def test_individual_factors_are_lognormal_and_their_range_is_95_per_cent_of_people(name):
    shape = TABLE[name].shape
    assert shape is not None and shape[0] == "lognormal"
    ends = [shape[1] * math.exp(sign * Z95 * shape[2]) for sign in (-1.0, 1.0)]
    assert [TABLE[name].low, TABLE[name].high] == pytest.approx(ends, rel=2e-3)


@pytest.mark.parametrize(
    "name",
    [
        "GFR",
        "SNGFR",
        "RBF",
        "RPF",
        "FF",
        "P_GC",
        "MAP",
        "V_E",
        "ANP",
        "PRA",
        "AngII",
        "AT1",
        "aldosterone",
        "Na_excretion",
        "UGE",
        "UAER",
        "UACR",
        "sieving",
        "albumin_filtered",
        "S_cr",
        "eGFR",
        "BUN",
        "W_GBM",
        "Vv_mes",
        "podocytes",
        "podocyte_density",
        "surface",
        "K_f",
        "nephron_number",
        "Vv_int",
        "capillary_density",
        "hypoxia_index",
    ],
)
def test_output_exists(name):
    assert MODEL.expression(name) is not None
    assert MODEL.units[name]


def test_unknown_assembly_names_the_nearest():
    with pytest.raises(ModelError, match="kidney"):
        whole_body.named_model("kidny")


def test_models_are_assembled_once():
    assert whole_body.named_model("kidney") is MODEL
