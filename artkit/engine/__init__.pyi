"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .clip import ClipRun as ClipRun, describe_run as describe_run
from .devices import pick_device as pick_device, pick_precision as pick_precision
from .job import Job as Job, look_back as look_back
from .local import load as load, run_chain as run_chain
from .runner import Runner as Runner
from .steady import Steadier as Steadier
from .stream import JobResult as JobResult, run_jobs as run_jobs
from .work import StepResult as StepResult
from .workplace import Workplace as Workplace
