"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .formats import FORMATS as FORMATS, format_of as format_of
from .pushing import Pushed as Pushed, push_model as push_model
from .writing import Exported as Exported, export_network as export_network
