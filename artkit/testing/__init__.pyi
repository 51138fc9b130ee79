"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .contract import check_method as check_method, check_spec as check_spec, spec_faults as spec_faults
from .offers import check_dataset as check_dataset, check_metric as check_metric
from .trainers import check_trainer as check_trainer
