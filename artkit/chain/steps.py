"""Steps and chains as Python objects."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, TypeAlias, Union, overload

from artkit.chain.recipe_file import RecipeFields, dump_toml, read_recipe_file
from artkit.errors import ChainError, excerpt
from artkit.spec.calls import WORDS, Call, is_word, parse_calls

if TYPE_CHECKING:
    from artkit.images import Picture

Size: TypeAlias = tuple[int, int] | list[int] | str | int
"""(width, height) in pixels, text such as `512x384`, or one number: the longest side."""

Value: TypeAlias = Union[str, int, float, bool, tuple["Value", ...], "Chain", None]
"""What an option may hold; lists become tuples."""


@dataclass(frozen=True)
class Step:
    """One method with its options. An option that holds a `Chain` feeds the port of that name."""

    method: str
    options: dict[str, Value] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Check the names and normalise the values; raises ChainError."""
        if not isinstance(self.options, Mapping):
            raise ChainError(f"The options of a step are values by name, not {type(self.options).__name__}.")
        for name in (self.method, *self.options):
            if not is_word(name):
                written = excerpt(repr(name))
                raise ChainError(f"{written} is not a name: method and option names are letters, digits and '_'.")
        values = {name: _normalise(value, f"{self.method}({name}=...)") for name, value in self.options.items()}
        object.__setattr__(self, "options", values)

    def __str__(self) -> str:
        """Return the step as chain text, such as `touchup(strength=0.8)`."""
        if not self.options:
            return self.method
        written = ",".join(f"{name}={_format(value)}" for name, value in self.options.items())
        return f"{self.method}({written})"


class Chain:
    """Steps in order. `Chain("semgan,pix2pix")`, or from steps, texts and chains: `Chain(["semgan", Step("pix2pix")])`.

    `str(chain)` is text that parses back to an equal chain. Calling a chain runs it. Chains compose: `a | b`,
    `chain + "touchup"`, `chain[1:]`; `chain[0]`, `len(chain)` and iteration give its steps.
    """

    __slots__ = ("_steps",)

    _steps: tuple[Step, ...]

    def __init__(self, source: str | Path | Iterable[Step | str | Chain]) -> None:
        """Build from text, from parts, or from the path of a recipe.

        Raises ChainError for text that is no chain, and for no steps at all.
        """
        steps = tuple(_steps(source))
        if not steps:
            raise ChainError("A chain needs at least one step, such as: semgan,pix2pix")
        object.__setattr__(self, "_steps", steps)

    @classmethod
    def from_recipe(cls, path: str | Path) -> Chain:
        """Read the chain of a TOML recipe, or the one a PNG written by artkit remembers. Raises ChainError."""
        return chain_of(read_recipe_file(path), path)

    def to_recipe(self) -> str:
        """Return the chain as a TOML recipe."""
        return dump_toml(RecipeFields(chain=str(self)))

    @overload
    def __call__(self, picture: list[Any] | tuple[Any, ...], /, **how: Any) -> list[Picture]: ...
    @overload
    def __call__(self, picture: Any = None, /, **how: Any) -> Picture: ...
    def __call__(
        self,
        picture: Any = None,
        /,
        *,
        seed: int = 0,
        size: Size | None = None,
        device: str = "auto",
        precision: str = "auto",
        facts: Mapping[str, str] | None = None,
        **ports: Any,
    ) -> Picture | list[Picture]:
        """Run the chain and return its last picture; a list of them for a list of pictures, or a batch of several.

        `picture` is a path, bytes, array, tensor, PIL image or Picture; None when the chain starts with a source, which
        then makes a picture of `size`: (width, height) in pixels, text such as "512x384", or the longest side alone.
        Other ports take pictures by name: `chain(photo, style="monet.jpg")`. `facts` are things known about the
        picture, by name, which conditional models may use (`{"time": "dusk"}`). The same call gives the same picture.
        Networks stay loaded for the next call. Raises ArtkitError.
        """
        from artkit.engine.local import run_chain

        return run_chain(self, picture, ports, seed=seed, size=size, device=device, precision=precision, facts=facts)

    def steps(
        self,
        picture: Any = None,
        /,
        *,
        seed: int = 0,
        size: Size | None = None,
        device: str = "auto",
        precision: str = "auto",
        facts: Mapping[str, str] | None = None,
        **ports: Any,
    ) -> dict[str, Picture]:
        """Run the chain on one picture as a call does, and return what every step made, by its method, in order.

        A method's second step is called `nst-2`, and so on.
        """
        from artkit.engine.local import run_steps

        return run_steps(self, picture, ports, seed=seed, size=size, device=device, precision=precision, facts=facts)

    def stream(
        self,
        pictures: Iterable[Any],
        /,
        *,
        seed: int = 0,
        size: Size | None = None,
        device: str = "auto",
        precision: str = "auto",
        facts: Mapping[str, str] | None = None,
        steady: float = 0.0,
        **ports: Any,
    ) -> Iterator[Picture]:
        """Run the chain on many pictures and yield each result, in order, as soon as it is there.

        The next pictures are read while one is computed, as in a run over a folder, and no more than a few are held.
        `steady`, 0 to 1, says how much they are steadied as the frames of a clip that they are then, in order: 0.5 is
        what `artkit run` does to clips.
        Raises the ArtkitError of a picture that fails when its turn comes.
        """
        from artkit.engine.local import stream_chain

        return stream_chain(
            self,
            pictures,
            ports,
            seed=seed,
            size=size,
            device=device,
            precision=precision,
            facts=facts,
            steady=steady,
        )

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> Chain: ...
    def __getitem__(self, index: int | slice) -> Step | Chain:
        """Return a step, or the chain of some of the steps."""
        return Chain(self._steps[index]) if isinstance(index, slice) else self._steps[index]

    def __add__(self, other: Chain | Step | str) -> Chain:
        """Return this chain, then the other."""
        return Chain([self, other]) if isinstance(other, Chain | Step | str) else NotImplemented

    def __radd__(self, other: Step | str) -> Chain:
        """Return the other chain, then this."""
        return Chain([other, self]) if isinstance(other, Step | str) else NotImplemented

    __or__, __ror__ = __add__, __radd__

    def __setattr__(self, name: str, value: object) -> None:
        """Refuse: chains do not change."""
        raise AttributeError("a Chain does not change; build a new one")

    def __reduce__(self) -> tuple[type[Chain], tuple[tuple[Step, ...]]]:
        """Pickle and copy by rebuilding from the steps."""
        return Chain, (self._steps,)

    def __iter__(self) -> Iterator[Step]:
        """Iterate over the steps."""
        return iter(self._steps)

    def __len__(self) -> int:
        """Return the number of steps."""
        return len(self._steps)

    def __eq__(self, other: object) -> bool:
        """Tell whether two chains have equal steps; the order of options does not matter."""
        return self._steps == other._steps if isinstance(other, Chain) else NotImplemented

    def __hash__(self) -> int:
        """Hash by the methods' names, which equal chains share."""
        return hash(tuple(step.method for step in self._steps))

    def __str__(self) -> str:
        """Return the chain as text."""
        return ",".join(map(str, self._steps))

    def __repr__(self) -> str:
        """Return the call that builds the chain."""
        return f"Chain({str(self)!r})"


def chain_of(fields: RecipeFields, path: str | Path) -> Chain:
    """Return the chain that a recipe describes, by text or by tables of steps. Raises ChainError naming the file."""
    if (fields.chain is None) == (fields.steps is None):
        raise ChainError(f'{path}: a recipe has one of: chain = "semgan,pix2pix", or [[steps]] tables.')
    try:
        return Chain([_step_of(table) for table in fields.steps or ()] if fields.chain is None else fields.chain)
    except ChainError as error:
        raise ChainError(f"{path}: {error}") from None


def _step_of(table: Mapping[str, Any]) -> Step:
    """Build a step from a table: `method`, and its options; a list of such tables is a chain inside a port."""
    if not isinstance(table.get("method"), str):
        raise ChainError('each step names its method: method = "pix2pix".')
    return Step(table["method"], {name: _option_of(value) for name, value in table.items() if name != "method"})


def _option_of(value: Any) -> Any:
    if isinstance(value, list) and value and all(isinstance(item, dict) for item in value):
        return Chain([_step_of(table) for table in value])
    return value


def _step_called(call: Call) -> Step:
    options = {
        name: Chain(map(_step_called, value)) if isinstance(value, list) else value
        for name, value in call.options.items()
    }
    return Step(call.name, options)


def _steps(source: str | Path | Iterable[Step | str | Chain]) -> Iterator[Step]:
    if isinstance(source, str):
        yield from map(_step_called, parse_calls(source))
        return
    if isinstance(source, Path):
        yield from chain_of(read_recipe_file(source), source)
        return
    try:
        parts = iter(source)
    except TypeError:
        raise ChainError(f"A chain is text, such as 'semgan,pix2pix', or steps, not {_kind(source)}.") from None
    for part in parts:
        if isinstance(part, Step):
            yield part
        elif isinstance(part, str | Chain):
            yield from Chain(part) if isinstance(part, str) else part
        else:
            raise ChainError(f"A chain is made of steps and texts, not of {_kind(part)}.")


def _kind(value: object) -> str:
    return "None" if value is None else type(value).__name__


def _normalise(value: Any, where: str) -> Value:
    """Return a value as plain Python; numbers of numpy, enumerations and paths come as what they mean."""
    if value is None or isinstance(value, bool | Chain):
        return value
    if isinstance(value, str | PurePath):
        return str.__str__(value) if isinstance(value, str) else str(value)
    if isinstance(value, Real):
        number = int(value) if isinstance(value, Integral) else float(value)
        if not -(2**63) < number < 2**63:
            raise ChainError(f"{where}: the number is too large, or none at all.")
        return number
    if isinstance(value, list | tuple):
        if value and all(isinstance(item, Step) for item in value):
            return Chain(value)
        if not any(isinstance(item, Step | Chain) for item in value):
            return tuple(_normalise(item, where) for item in value)
    kind = type(value).__name__
    raise ChainError(f"{where}: a {kind} is no option value; use text, numbers, true, false, none, or lists of them.")


def _format(value: Value) -> str:
    if isinstance(value, Chain):
        return f"[{value}]"
    if isinstance(value, tuple):
        # Words in a list are quoted: bare ones would read as the steps of a chain.
        return "[" + ",".join(repr(item) if isinstance(item, str) else _format(item) for item in value) + "]"
    if isinstance(value, str):
        return value if is_word(value) and value not in WORDS else repr(value)
    return next((word for word, meaning in WORDS.items() if meaning is value), repr(value))
