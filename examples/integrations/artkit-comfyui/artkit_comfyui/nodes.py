"""A node of ComfyUI for a method of artkit. Pictures come as N H W C in [0, 1], masks as N H W."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from artkit import Chain, Kind, MethodSpec, Step
from artkit.spec import Port

from artkit_comfyui.widgets import Widget, values, widgets

if TYPE_CHECKING:
    from artkit.images import Picture
    from torch import Tensor

SOCKETS = {Kind.IMAGE: "IMAGE", Kind.LABELS: "IMAGE", Kind.PICTURE: "IMAGE", Kind.MASK: "MASK", Kind.TEXT: "STRING"}
SIDE = {"default": 512, "min": 16, "max": 8192, "step": 1}


class Node:
    """What the nodes of all methods have in common; each has its own `spec`."""

    spec: ClassVar[MethodSpec]
    FUNCTION = "run"

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, dict[str, Widget]]:
        """Return sockets and widgets, as ComfyUI asks for them."""
        spec, sockets = cls.spec, _sockets(cls.spec)
        found = {part: {} for part in ("required", "optional")}  # type: dict[str, dict[str, Widget]]
        for port in sockets:
            part = "required" if port.required and not port.original else "optional"
            found[part][port.name] = SOCKETS[port.kind], {"tooltip": port.summary}
        found["required"] |= widgets(spec)
        found["required"]["seed"] = "INT", {"default": 0, "min": 0, "max": 2**32 - 1, "control_after_generate": True}
        if spec.has_models:
            found["required"]["model"] = (
                "STRING",
                {"default": "", "tooltip": "a model's name or file; empty: the default"},
            )
        if spec.is_source:
            found["required"] |= {"width": ("INT", SIDE), "height": ("INT", SIDE)}
        return found

    def run(self, seed: int, model: str = "", width: int = 0, height: int = 0, **given: Any) -> tuple[Tensor]:
        """Run the method on every picture of the batch. Raises ArtkitError, whose message says what is wrong."""
        import torch

        sockets = {port.name: port for port in _sockets(self.spec)}
        fed = {name: given[name] for name in sockets if given.get(name) is not None}
        chosen = values(self.spec, given) | ({"model": model} if model.strip() else {})
        chain = Chain([Step(self.spec.name, chosen)])
        main = next(iter(self.spec.inputs), None)
        batch = fed.pop(main.name, None) if main is not None else None
        size = (width, height) if batch is None and width else None
        made = []
        for index in range(1 if batch is None else len(batch)):
            ports = {name: _fed(sockets[name], value, index, batch) for name, value in fed.items()}
            picture = None if batch is None else _to_artkit(batch[index])
            made.append(_to_comfy(chain(picture, seed=seed, size=size, **ports)))
        return (torch.cat(made),)


def make_node(spec: MethodSpec) -> type[Node]:
    """Return the class of a method's node."""
    output = "MASK" if spec.output is Kind.MASK else "IMAGE"
    fields = {
        "spec": spec,
        "CATEGORY": f"artkit/{spec.heading}",
        "DESCRIPTION": spec.summary,
        "RETURN_TYPES": (output,),
        "RETURN_NAMES": (str(spec.output),),
    }
    return type(spec.name, (Node,), fields)


def _sockets(spec: MethodSpec) -> list[Port]:
    """Return the ports that become sockets: an option of the name is its widget, and a node knows no picture before."""
    options = spec.options.__struct_fields__
    return [port for port in spec.inputs if not port.previous and port.name not in options]


def _fed(port: Port, value: Any, index: int, batch: Any) -> Any:
    """Return what feeds a port besides the main one."""
    if isinstance(value, str):
        return value
    if port.many:
        return [_to_artkit(one) for one in value]
    return _to_artkit(value[index if batch is not None and len(value) == len(batch) else 0])


def _to_artkit(picture: Tensor) -> Tensor:
    """Return H W C as C H W, and a mask H W as 1 H W."""
    return picture.unsqueeze(0) if picture.ndim == 2 else picture.movedim(-1, 0)


def _to_comfy(picture: Picture) -> Tensor:
    """Return a picture as 1 H W C, labels in their class colours, and a mask as 1 H W."""
    if picture.kind is Kind.MASK:
        return picture.tensor[:, 0]
    return picture.painted().tensor.movedim(1, -1).contiguous()
