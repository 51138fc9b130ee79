"""artkit's methods as nodes of ComfyUI, which reads the two tables below."""

from __future__ import annotations

from artkit.plugins import current_registry

from artkit_comfyui.nodes import make_node

_METHODS = current_registry().methods

NODE_CLASS_MAPPINGS = {f"artkit {name}": make_node(spec) for name, spec in _METHODS.items()}
NODE_DISPLAY_NAME_MAPPINGS = {f"artkit {name}": f"{name} (artkit)" for name in _METHODS}
