"""The language: equation text with checked units, parameter tables with sources, assembly."""

from .assemble import assemble as assemble
from .model import Assignment as Assignment
from .model import Event as Event
from .model import Model as Model
from .model import State as State
from .parameters import Parameter as Parameter
from .parameters import ParameterTable as ParameterTable
from .parameters import compare as compare
from .submodel import Part as Part
from .submodel import Submodel as Submodel
