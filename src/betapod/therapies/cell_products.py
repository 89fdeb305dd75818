"""Cell products and routes: what they are and which product can take which route. Their numbers are rows of `cell_products.csv`."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True)
class Route:
    """A way into the body.

    Attributes
    ----------
    fractions
        Prefix of the six first-pass fractions of `cell_routes.FirstPass`; empty for a depot, where cells stay.
    arterial, renal, portal
        Whether it needs an arterial catheter, delivers into the kidney, or punctures the portal vein.
    """

    name: str
    label: str
    fractions: str
    aliases: tuple[str, ...] = ()
    arterial: bool = False
    renal: bool = False
    portal: bool = False


@dataclass(frozen=True)
class Product:
    """A cell product.

    Attributes
    ----------
    kind
        ``infused`` (cells that arrest in organs) or ``graft`` (islets).
    donors
        ``allogeneic`` and ``autologous`` where the product exists so; the first is the usual one.
    potency, tissue_factor
        Ids of rows; empty where they mean nothing.
    source
        Ends the ids of the rows that say what the product can become (``commitment_K_UC``); empty for grafts.
    tissue
        What the cells are already, where they are specialised: ``kidney``.
    state, surviving_part
        Where a graft enters: the first stage of maturation or the last; and the quantity that says how much of it takes.
    function
        Id of the row with the function of a cell, counted in the dose; empty where cells are counted as they are.
    dose
        Id of the row with the usual dose, and its range in trials; empty where none is known.
    caution
        What is not known about it, said whenever it is used.
    """

    name: str
    label: str
    kind: str
    donors: tuple[str, ...]
    routes: tuple[str, ...]
    aliases: tuple[str, ...] = ()
    potency: str = ""
    tissue_factor: str = "TF_BM"
    state: str = ""
    surviving_part: str = ""
    function: str = ""
    dose: str = ""
    caution: str = ""
    source: str = ""
    tissue: str = ""


ROUTES = {
    route.name: route
    for route in (
        Route("iv", "peripheral vein", "iv", ("intravenous", "vein")),
        Route("ra", "renal artery", "renal", ("renal artery", "intra-arterial renal"), arterial=True, renal=True),
        Route(
            "pa",
            "dorsal pancreatic or pancreaticoduodenal artery",
            "pancreatic",
            ("pancreatic artery", "pancreaticoduodenal artery", "dorsal pancreatic artery"),
            arterial=True,
        ),
        Route("sa", "splenic artery", "splenic", ("splenic artery",), arterial=True),
        Route("pv", "portal vein", "portal", ("portal vein", "portal", "intraportal"), portal=True),
        Route("ir", "injection into the kidney", "intrarenal", ("intrarenal", "intra-renal"), renal=True),
        Route("depot", "depot under the skin, in muscle or in the rectus sheath", "", ("sc", "im", "rectus sheath")),
    )
}

_INFUSED = ("iv", "ra", "pa", "sa", "pv", "ir")

PRODUCTS = {
    product.name: product
    for product in (
        Product(
            "BM-MSC",
            "marrow mesenchymal stromal cells",
            "infused",
            ("allogeneic", "autologous"),
            _INFUSED,
            ("marrow MSC", "bone marrow MSC"),
            "potency_BM",
            source="BM",
            dose="dose_MSC",
        ),
        Product(
            "UC-MSC",
            "umbilical-cord mesenchymal stromal cells",
            "infused",
            ("allogeneic",),
            _INFUSED,
            ("WJ-MSC", "cord MSC", "umbilical cord MSC"),
            "potency_UC",
            "TF_UC",
            source="UC",
            dose="dose_MSC",
        ),
        Product(
            "AD-MSC",
            "adipose mesenchymal stromal cells",
            "infused",
            ("allogeneic", "autologous"),
            _INFUSED,
            ("AT-MSC", "adipose MSC"),
            "potency_AD",
            "TF_AD",
            source="AD",
            dose="dose_MSC",
        ),
        Product(
            "MPC",
            "mesenchymal precursor cells",
            "infused",
            ("allogeneic",),
            _INFUSED,
            ("mesenchymal precursor cells",),
            "potency_MPC",
            source="MPC",
            dose="dose_MSC",
        ),
        Product(
            "BM-MNC",
            "marrow mononuclear cells",
            "infused",
            ("autologous",),
            _INFUSED,
            ("MNC", "marrow mononuclear cells"),
            "potency_MNC",
            source="MNC",
            caution="kinetics and potency are those of marrow stromal cells; in the rat thirty times as many pass the lung",
        ),
        Product(
            "renal-cells",
            "autologous renal cells",
            "infused",
            ("autologous",),
            ("ir",),
            ("autologous renal cells", "REACT", "rilparencel"),
            "potency_renal",
            source="renal",
            tissue="kidney",
            caution="survival and potency are those of marrow stromal cells; nothing is known of this product's own",
        ),
        Product(
            "donor-islets",
            "islets of a deceased donor",
            "graft",
            ("allogeneic",),
            ("pv", "depot"),
            ("islets", "donor islets"),
            tissue_factor="",
            state="I_4",
            surviving_part="graft_taken",
            function="function_donor_islets",
        ),
        Product(
            "SC-islets",
            "islets made from pluripotent stem cells",
            "graft",
            ("allogeneic", "autologous", "hypoimmune"),
            ("pv", "depot"),
            ("stem-cell islets", "zimislecel"),
            tissue_factor="",
            state="I_1",
            surviving_part="graft_taken_stem",
            dose="dose_SC_islets",
        ),
    )
}


def comparable_name(text: str) -> str:
    """Return a name without case, spaces and hyphens, as names are compared."""
    return re.sub(r"[^a-z0-9]", "", text.lower())


def names_of(entries: dict[str, Product] | dict[str, Route]) -> dict[str, str]:
    """Return every way to write a name, mapped to the name."""
    return {comparable_name(text): name for name, entry in entries.items() for text in (name, *entry.aliases)}
