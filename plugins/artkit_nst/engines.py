"""Which engine runs, and why."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from artkit import ModelError
from artkit_nst import NstOptions

if TYPE_CHECKING:
    from artkit_nst.vgg.network import Vgg19

_log = logging.getLogger("artkit.nst")


def choose_network(options: NstOptions) -> Vgg19 | None:
    """Return VGG-19 where it is asked for, or found, and None for the engine `patch`; say which it is.

    Raises ModelError when vgg is asked for and there are no weights, or weights that are not VGG-19's.
    """
    if options.engine == "patch":
        return None
    from artkit_nst.vgg.weights import find_weights, places, read_weights

    found = find_weights(options.weights)
    if found is None:
        looked = f"no weights of VGG-19 in {places()}"
        if options.engine == "vgg":
            raise ModelError(f"nst(engine=vgg): {looked}; give the file with weights=PATH, or take engine=patch.")
        _log.info("nst: engine patch: %s.", looked)
        return None
    from artkit_nst.vgg.network import Vgg19

    _log.info("nst: engine vgg: weights from %s (%s).", found.path, found.where)
    return Vgg19(read_weights(found.path))
