"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .chain import Chain as Chain, Step as Step
from .engine import load as load
from .errors import (
    ArtkitError as ArtkitError,
    ChainError as ChainError,
    DataError as DataError,
    ImageError as ImageError,
    ModelError as ModelError,
    OptionError as OptionError,
    OutputError as OutputError,
    PluginError as PluginError,
    TrainingError as TrainingError,
    UsageError as UsageError,
    nearest as nearest,
)
from .hookspecs import hookimpl as hookimpl
from .images import Picture as Picture, read_picture as read_picture
from .metrics import Evaluation as Evaluation, evaluate as evaluate
from .models.listing import models as models
from .plugins import methods as methods
from .spec import (
    ClassSet as ClassSet,
    DatasetSpec as DatasetSpec,
    Kind as Kind,
    LabelClass as LabelClass,
    MethodSpec as MethodSpec,
    MetricSpec as MetricSpec,
    ModelHeader as ModelHeader,
    ModelSpec as ModelSpec,
    Need as Need,
    Options as Options,
    Port as Port,
    SizeRule as SizeRule,
    Tiling as Tiling,
    option as option,
    packaged as packaged,
)
from .training import Trainer as Trainer, train as train
from .translator import Context as Context, Translator as Translator

__version__: str
