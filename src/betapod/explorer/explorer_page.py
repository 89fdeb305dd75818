"""The explorer as one HTML page: all of it in one file that needs neither a server nor a network, or parts of it to be asked for later."""

from __future__ import annotations

import base64
import functools
import gzip
import hashlib
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..exchange.wasm.shipped_kernels import JAVASCRIPT, shipped_kernel
from ..observables.table import observables
from ..physiology import whole_body
from ..therapies.drug_catalogue import exclusions
from ..therapies.drug_limits import drug_limits
from ..therapies.scenarios import COMPARED, DEFAULT, SCENARIOS
from ..therapies.standard_care import Therapy, catalogue, therapy
from ..trust.trust_answer import trust_sentence
from ..trust.trust_lines import question_of_simulation
from ..trust.trust_rows import trust_rows
from .explorer_claims import explorer_claims
from .explorer_draws import explorer_draws
from .explorer_evidence import explorer_evidence
from .explorer_library import explorer_library, library_numbers
from .explorer_mechanism import explorer_mechanism
from .explorer_parts import LATER
from .explorer_people import MODEL, ORDERS, shipped_people

_HERE = Path(__file__).parent
_MODEL_SCRIPTS = tuple(JAVASCRIPT / name for name in ("exact.js", "schedules.js", "betapod.js"))
#: In the order in which they use each other.
_PAGE_SCRIPTS = (
    *(
        "drugs",
        "chart",
        "parts",
        "exports",
        "plans",
        "intervals",
        "pool",
        "person_unknown",
        "person",
        "claims",
        "evidence",
    ),
    *(
        "formulas",
        "terms",
        "attribution",
        "why",
        "mechanism",
        "hazards",
        "draws",
        "people",
        "equations",
        "labs_outcomes",
        "labs_unknown",
        "labs",
        "small_trial",
        "scatter",
        "maraca",
        "run_pictures",
        "run_folder",
        "trial_protocol",
        "trial",
        "server",
        "views",
    ),
)
#: In the order in which they are offered.
VIEWS = ("person", "labs", "claims", "evidence", "mechanism", "trial")
#: The view of a page that a server answers.
SERVER_VIEW = "server"
_STYLES = (Path(__file__).parents[1] / "report" / "common" / "page.css", _HERE / "explorer.css")
#: Who is there at first, quantities that are drawn and inputs that have a slider.
_PERSON = "t2d_ckd_a3"
_OUTPUTS = ("HbA1c", "eGFR", "UACR", "MAP")
_SLIDERS = ("N_in", "protein_animal", "protein_vegetable", "intake_m", "dWt", "dMAP")
#: Amounts that are offered of what is given in any amount.
_ANY = {
    "basal insulin": (10, 20, 40),
    "titrated insulin": (7, 8),
    "insulin weaned below": (6,),
    "lifestyle": (3, 6),
    "total diet replacement": (10, 15),
    "blood pressure lowering": (5, 10),
    "sodium intake": (100,),
    "protein intake": (0.8,),
    "vegetable for animal protein": (0.3,),
}


def explorer_drugs() -> list[dict[str, Any]]:
    """Return every treatment that can be chosen: label as orders have it, class, and what it does to inputs of the model."""
    inputs = whole_body.named_model(MODEL).inputs
    drugs = []
    for name, doses in catalogue().items():
        for dose in doses:
            amount, unit = dose.split(" ", 1)
            amounts = [f"{x:g}" for x in _ANY.get(name, ())] if amount == "any" else [amount]
            drugs += [_described(therapy(f"{name} {x} {unit}")) for x in amounts]
    return [drug for drug in drugs if any(effect["quantity"] in inputs for effect in drug["effects"])]


def _described(drug: Therapy) -> dict[str, Any]:
    effects = [
        {
            "quantity": effect.quantity,
            "rule": effect.rule,
            "value": effect.value,
            "onset": effect.onset,
            "offset": effect.offset,
            "lasts": None if effect.lasts == float("inf") else effect.lasts,
        }
        for effect in drug.effects
    ]
    return {"label": drug.label, "name": drug.name, "class": drug.drug_class, "effects": effects}


def explorer_data() -> dict[str, Any]:
    """Return what the page holds beside the model: people, drugs, limits, scenarios."""
    from ..therapies.cell_parameters import scenario_values

    model = whole_body.named_model(MODEL)
    defaults = model.values()
    people = shipped_people()
    return {
        "model": MODEL,
        "key": people["key"],
        "people": people["people"],
        "person": _PERSON,
        "orders": list(ORDERS),
        "drugs": explorer_drugs(),
        "limits": [
            {key: row[key] for key in ("therapy", "quantity", "severity", "message")}
            | {end: float(row[end]) if row[end] else None for end in ("low", "high")}
            for row in drug_limits()
        ],
        "exclusions": [
            dict(zip(("class", "other"), sorted(row.classes), strict=True))
            | {"severity": row.severity, "message": row.message}
            for row in exclusions()
        ],
        "scenarios": [
            {
                "name": name,
                "label": scenario.label,
                "short": scenario.short,
                "values": {key: value for key, value in scenario_values(model, name).items() if value != defaults[key]},
            }
            for name, scenario in SCENARIOS.items()
        ],
        "scenario": DEFAULT,
        "compared": list(COMPARED),
        "outputs": [name for name in _OUTPUTS if name in model.names],
        "errors": {name: item.relative_error for name, item in observables().items() if name in model.names},
        "sliders": [name for name in _SLIDERS if name in model.inputs],
    }


def explorer_html(server: bool = False, served: bool = False) -> str:
    """Return the page.

    Parameters
    ----------
    server
        Whether a server answers it, which it may then ask, and whose view it has.
    served
        Whether it comes from a server, which has the parts that not every view needs: `LATER`. Otherwise they stand in the page.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    from .. import __version__

    model = whole_body.named_model(MODEL)
    start = (_HERE / "start.js").read_text(encoding="utf-8")
    style = "\n".join(path.read_text(encoding="utf-8") for path in _STYLES)
    # The second script is unpacked by the first, which joins its parts just so.
    scripts = " ".join(f"'sha256-{_digest(text)}'" for text in (start, f"{_script_of_model()}\n{_script_of_page()}"))
    policy = (
        f"default-src 'none'; script-src {scripts} 'wasm-unsafe-eval'; "
        f"style-src 'sha256-{_digest(style)}'; img-src data: blob:; worker-src blob:; base-uri 'none'; form-action 'none'"
        + ("; connect-src 'self'" if served else "")
    )
    environment = Environment(loader=FileSystemLoader(_HERE), autoescape=True, undefined=StrictUndefined)
    later = LATER if served else ()
    return environment.get_template("explorer.html.jinja").render(
        policy=Markup(policy),
        style=Markup(style),
        start=Markup(start),
        packed={name: Markup(base64.b64encode(packed_part(name)).decode()) for name in PARTS if name not in later},
        later=later,
        views=VIEWS + (SERVER_VIEW,) * server,
        server=server,
        row_scenarios=list(dict.fromkeys(row.scenario for row in trust_rows() if row.scenario)),
        model=MODEL,
        states=len(model.states),
        fingerprint=model.fingerprint[:12],
        version=__version__,
        scenarios=list(SCENARIOS.values()),
        trust=trust_sentence(question_of_simulation(_OUTPUTS)),
    )


def _script_of_model() -> str:
    return joined_script(*_MODEL_SCRIPTS)


def _script_of_page() -> str:
    return joined_script(*(_HERE / f"{name}.js" for name in _PAGE_SCRIPTS))


def _script_of_workers() -> str:
    return joined_script(_HERE / "worker.js")


def _json(data: Any) -> str:
    return json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


#: What the page holds, by the name under which it finds it: text, bytes, or plain values.
PARTS: dict[str, Callable[[], Any]] = {
    "script-model": _script_of_model,
    "script-page": _script_of_page,
    "script-worker": _script_of_workers,
    "data": explorer_data,
    "kernel": functools.partial(shipped_kernel, MODEL),
    "data-claims": explorer_claims,
    "data-evidence": explorer_evidence,
    "data-mechanism": explorer_mechanism,
    "data-library": explorer_library,
    "data-draws": explorer_draws,
    "data-numbers": library_numbers,
}


def packed_part(name: str) -> bytes:
    """Return a part of the page as it holds it, compressed; the same whenever it is made."""
    content = PARTS[name]()
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else _json(content)).encode()
    return gzip.compress(content, 9, mtime=0)


def joined_script(*paths: Path) -> str:
    """Return modules as one: what they import from each other stands before."""
    parts = []
    for path in paths:
        text = re.sub(r"^import .*?;\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
        parts.append(re.sub(r"^export ", "", text, flags=re.MULTILINE))
    return "\n".join(parts)


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
