"""Models: equation text with checked units, parameter tables with sources, assembly."""

from .assembly.assemble import assemble as assemble
from .assembly.model import Assignment as Assignment
from .assembly.model import Event as Event
from .assembly.model import Model as Model
from .assembly.model import State as State
from .assembly.submodel import Part as Part
from .assembly.submodel import Submodel as Submodel
from .parameters.table import Parameter as Parameter
from .parameters.table import ParameterTable as ParameterTable
from .parameters.table import compare as compare
