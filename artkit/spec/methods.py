"""Specs: what a plugin registers about its methods, models, datasets and metrics; frozen and import-light."""

from __future__ import annotations

from dataclasses import dataclass, field

from artkit.spec.kinds import Kind, Need, Port, SizeRule, Tiling
from artkit.spec.options import Options

API_VERSION = 1


@dataclass(frozen=True)
class PackagedModel:
    """A model that comes inside its method's package; see `packaged`."""

    name: str
    summary: str
    licence: str
    source: str


def packaged(name: str, summary: str, licence: str, source: str = "") -> PackagedModel:
    """Declare a model whose weights lie in the package of its method, in `weights/NAME.safetensors`.

    `source` says what made it; when left out, it is the recipe `examples/recipes/METHOD-NAME.toml` of the project.
    """
    return PackagedModel(name, summary, licence, source)


@dataclass(frozen=True)
class MethodSpec:
    """A method as its plugin registers it.

    `translator` and `trainer` are `"package.module:Class"` strings, imported on first use. `inputs` are in order, the
    main port first; a method whose ports are all optional may start a chain. `default_model` names the registered
    model used when a step says no `model=`; a method with `default_model=None` and `needs_model=False` has no weights.
    `models` are those in its package, each by `packaged(...)`; `register_models` is for others.
    `group` is the heading that `artkit methods` lists the method under, such as `enlarge`; empty, that follows from the
    rest: `dream` for a source, `translate` for what has weights or is trained, else `filter`. `tiling` promises what
    its networks do, see `artkit.nn.in_tiles`. `flickers` says that what it makes of the frames of a clip does not hang
    together, since it draws by chance or decides by a picture as a whole: core then steadies clips, unless told
    otherwise. `trains_on` says what data will do for training, any one of several; `artkit data check` asks it.
    """

    name: str
    summary: str
    inputs: tuple[Port, ...]
    output: Kind
    translator: str
    options: type[Options] = Options
    trainer: str | None = None
    training_options: type[Options] = Options
    trains_on: tuple[Need, ...] = (Need.PICTURES,)
    needs_model: bool = True
    default_model: str | None = None
    models: tuple[PackagedModel, ...] = ()
    size: SizeRule = field(default_factory=SizeRule)
    tiling: Tiling = Tiling.NONE
    flickers: bool = False
    group: str = ""
    api: int = API_VERSION

    @property
    def has_models(self) -> bool:
        """True when a step may say `model=`: the method cannot do without, or has one to begin with."""
        return self.needs_model or self.default_model is not None

    @property
    def is_source(self) -> bool:
        """True when the method can start a chain: it runs with no input at all."""
        return not any(port.required for port in self.inputs)

    @property
    def packaged_models(self) -> list[ModelSpec]:
        """The models in the method's package, as `register_models` would offer them."""
        package = self.translator.partition(":")[0].partition(".")[0]
        return [
            ModelSpec(
                name=model.name,
                method=self.name,
                summary=model.summary,
                file=f"{package}:weights/{model.name}.safetensors",
                licence=model.licence,
                source=model.source or f"examples/recipes/{self.name}-{model.name}.toml",
            )
            for model in self.models
        ]

    @property
    def heading(self) -> str:
        """What the method does, in a word: its group, or what its ports and weights say."""
        if self.group or self.is_source:
            return self.group or "dream"
        return "translate" if self.has_models or self.trainer else "filter"

    def port(self, name: str) -> Port | None:
        """Return the port called `name`, if there is one."""
        return next((port for port in self.inputs if port.name == name), None)


@dataclass(frozen=True)
class ModelSpec:
    """A model that a plugin offers, packaged or to be pulled.

    `file` is `"package:relative/path.safetensors"` for weights inside a plugin's package. A model with a `url` instead
    is in the catalogue: `artkit models pull NAME` downloads it, be it a model file of artkit's or a checkpoint that
    some method's `import_checkpoint` reads. `size` is about what the download weighs, in bytes: far more than that is
    not fetched. `sha256` is the download's, in hex digits, where it is known. `trained_on` says with which data it
    was made, and which way round.
    """

    name: str
    method: str
    summary: str
    file: str | None = None
    url: str | None = None
    sha256: str | None = None
    licence: str = ""
    source: str = ""
    size: int | None = None
    trained_on: str = ""


@dataclass(frozen=True)
class DatasetSpec:
    """A dataset that a plugin makes, or a layout of folders that it recognises.

    `factory` is `"package.module:function"`, called as `factory(options, split)` for a Dataset made as it is asked for.
    `writer`, where there is one, is called as `writer(directory, options, jobs, progress)` and writes it to a folder;
    `progress()` is to be called after each sample. `layout`, called as `layout(place)` with the `artkit.data.Place` of
    a folder's pictures, returns an `artkit.data.Table` when it knows that layout, else None; it is asked before core's.
    """

    name: str
    summary: str
    factory: str | None = None
    writer: str | None = None
    options: type[Options] = Options
    layout: str | None = None


@dataclass(frozen=True)
class MetricSpec:
    """A score with a stated protocol.

    `function` is `"package.module:function"`, called as `function(outputs, targets)`; `better` is `"lower"` or
    `"higher"`; `kind` is what it compares. `needs`, for one that needs more than artkit brings, is the
    `"package.module:function"` that raises an ArtkitError where it is missing, called before anything is computed. One
    that asks what is said of the targets has `facts`, and is called as `function(outputs, targets, facts)`, with the
    text columns of each target, such as `[{"style": "ink"}, ...]`. Metrics of both sorts are computed only when asked
    for by name, as are those that say so by `by_name`, as they are for some pictures alone.
    """

    name: str
    summary: str
    function: str
    better: str = "lower"
    kind: Kind = Kind.IMAGE
    needs: str | None = None
    facts: bool = False
    by_name: bool = False
