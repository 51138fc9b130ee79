"""Public names of this room and where each lives; `__init__.py` loads them on first use."""

from .blending import blend as blend
from .flow import LONGEST_SIDE as LONGEST_SIDE, estimate_flow as estimate_flow, flow_size as flow_size
from .riding import Ride as Ride
from .tracking import (
    HISTORY as HISTORY,
    PERIOD as PERIOD,
    Anchor as Anchor,
    Earlier as Earlier,
    Motion as Motion,
    Tracker as Tracker,
    first_frame as first_frame,
)
from .visibility import likeness as likeness, visible as visible
from .warping import compose as compose, sample as sample, warp as warp
