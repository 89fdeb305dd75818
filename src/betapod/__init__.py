"""In-silico clinical trials of cell therapy in diabetes and diabetic kidney disease.

The names below are imported when first used, so that ``import betapod`` costs almost nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .base import errors as errors
    from .engine.ensemble import Ensemble as Ensemble
    from .engine.schedule import Dose as Dose
    from .engine.schedule import Schedule as Schedule
    from .engine.schedule import Switch as Switch
    from .engine.scipy.reference import Result as Result
    from .engine.scipy.reference import simulate as simulate
    from .exchange import read_sbml as read_sbml
    from .exchange import write_sbml as write_sbml
    from .model import Model as Model
    from .model import Parameter as Parameter
    from .model import ParameterTable as ParameterTable
    from .model import Part as Part
    from .model import Submodel as Submodel
    from .model import assemble as assemble
    from .model.bibliography import Bibliography as Bibliography
    from .model.bibliography import cite as cite
    from .model.printing.render import render as render
    from .physiology.whole_body import NAMES as MODEL_NAMES
    from .physiology.whole_body import model as load_model

#: Public names: the module that holds each, and its name there.
_PUBLIC = {
    "Bibliography": ("model.bibliography", "Bibliography"),
    "Dose": ("engine.schedule", "Dose"),
    "Ensemble": ("engine.ensemble", "Ensemble"),
    "MODEL_NAMES": ("physiology.whole_body", "NAMES"),
    "Model": ("model", "Model"),
    "Parameter": ("model", "Parameter"),
    "ParameterTable": ("model", "ParameterTable"),
    "Part": ("model", "Part"),
    "Result": ("engine.scipy.reference", "Result"),
    "Schedule": ("engine.schedule", "Schedule"),
    "Submodel": ("model", "Submodel"),
    "Switch": ("engine.schedule", "Switch"),
    "assemble": ("model", "assemble"),
    "cite": ("model.bibliography", "cite"),
    "errors": ("base.errors", ""),
    "load_model": ("physiology.whole_body", "model"),
    "read_sbml": ("exchange", "read_sbml"),
    "render": ("model.printing.render", "render"),
    "simulate": ("engine.scipy.reference", "simulate"),
    "write_sbml": ("exchange", "write_sbml"),
}

__all__ = [
    "MODEL_NAMES",
    "Bibliography",
    "Dose",
    "Ensemble",
    "Model",
    "Parameter",
    "ParameterTable",
    "Part",
    "Result",
    "Schedule",
    "Submodel",
    "Switch",
    "__version__",
    "assemble",
    "cite",
    "errors",
    "load_model",
    "read_sbml",
    "render",
    "simulate",
    "write_sbml",
]


def __getattr__(name: str) -> Any:
    if name not in _PUBLIC:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, attribute = _PUBLIC[name]
    loaded = import_module(f".{module}", __name__)
    value = getattr(loaded, attribute) if attribute else loaded
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_PUBLIC})
