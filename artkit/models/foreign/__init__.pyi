"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .describing import generator_header as generator_header, recognised_arguments as recognised_arguments
from .exporting import export_networks as export_networks, write_networks as write_networks
from .importing import announce as announce, import_model as import_model, keep_model as keep_model
from .publishing import published_models as published_models
from .reading import read_checkpoint as read_checkpoint
from .recognising import recognise as recognise
