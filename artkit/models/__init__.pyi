"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .catalogue import find_entry as find_entry, list_entries as list_entries
from .file import (
    Model as Model,
    load_into as load_into,
    load_model as load_model,
    model_hash as model_hash,
    save_model as save_model,
)
from .header import Frame as Frame, TensorEntry as TensorEntry, read_frame as read_frame, read_header as read_header
from .hub import pull_from_hub as pull_from_hub
from .pulling import Pulled as Pulled, pull_model as pull_model
from .store import (
    StoredModel as StoredModel,
    data_home as data_home,
    find_model as find_model,
    list_models as list_models,
    user_model_path as user_model_path,
)
