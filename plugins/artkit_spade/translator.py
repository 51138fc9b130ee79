"""Run a spade model: the translator."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor

from artkit import Context, ModelHeader, OptionError, Translator
from artkit.images import one_hot
from artkit.nn import (
    RESULT_FIELD,
    WORKING_SIDE,
    Asked,
    Conditions,
    Portable,
    WorkingResolution,
    condition_field,
    decode_image,
    fit_style,
    fix_length,
    heights,
    labels_field,
    lay_swirls,
    painting_guide,
    read_arguments,
    strokes_field,
)
from artkit.seeds import mix_seeds
from artkit_spade import CONDITIONS, SPEC, SpadeOptions
from artkit_spade.arguments import SmallArguments, SpadeArguments, encode_words, join_input
from artkit_spade.portable import PortableSmall


class Spade(Translator):
    """Generator, style encoder and words of a trained model; its header says what it takes and which words it knows."""

    spec = SPEC
    options: SpadeOptions
    header: ModelHeader

    def __init__(self, options: SpadeOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        arguments = read_arguments(header, SpadeArguments)
        self.arguments, self.defaults = arguments.generator, arguments.default_conditions
        self.small = isinstance(self.arguments, SmallArguments)
        self.generator, self.encoder = self.arguments.build(), self.arguments.build_encoder()
        self.conditions = Conditions(header.conditions, self.defaults)
        self.words = arguments.build_words(1 + self.conditions.channels)
        self.asked = read_words(options, header)

    def portable(self) -> Portable | None:
        """Return the small networks, told in words; large pictures are not shrunk for them."""
        if not self.small or not self.conditions or self.header.classes is None:
            return super().portable()
        graph = PortableSmall(
            self.generator,
            self.words,
            self._tell([dict(self.defaults)]),
            self.options.strength,
            classes=self.arguments.classes,
            margin=self.size_rule.margin,
        )
        strokes = [strokes_field()] if self.arguments.noise_channels else []
        inputs = (
            labels_field(self.header.classes),
            *strokes,
            condition_field(self.conditions.known, self.conditions.defaults),
        )
        return Portable(graph, inputs, RESULT_FIELD, self._feed)

    def _feed(self, context: Context, *, labels: Tensor, style: Tensor | None) -> tuple[Tensor, ...]:
        z, _ = self._draw_noise(context, WorkingResolution.of(labels, 0, self.size_rule))
        return labels, *([] if z is None else [z]), self.conditions.encode(self._choose_words(context))

    def translate(self, context: Context, *, labels: Tensor, style: Tensor | None) -> Tensor:
        """Paint labels N H W in the style of N3hw, or of words."""
        working = WorkingResolution.of(labels, self._working_side(), self.size_rule)
        small = working.shrink(labels)
        z, large_z = self._draw_noise(context, working)
        onehot = one_hot(small.clamp(max=self.arguments.classes - 1), self.arguments.classes).to(context.dtype)
        height = heights(small.shape[-2], small.shape[-1], self.size_rule.margin) if self.small else None
        height = None if height is None else height.to(small.device).expand(len(small), -1, -1, -1)
        code = self._find_code(context, style).to(context.dtype)
        painted = decode_image(self.generator(join_input(onehot, z, height), code))
        if working.scale == 1:
            return painted
        return working.enlarge(painted, painting_guide(small, z), painting_guide(working.spread(labels), large_z))

    def _working_side(self) -> int:
        asked = self.options.working_size
        return (WORKING_SIDE if self.arguments.noise_channels else 0) if asked is None else asked

    def _draw_noise(self, context: Context, working: WorkingResolution) -> tuple[Tensor | None, Tensor | None]:
        """Return the strokes at the working size, and enlarged."""
        if not self.arguments.noise_channels:
            return None, None
        lay = partial(lay_swirls, device=context.device, dtype=context.dtype)
        return working.draw(lay, context.seeds, rides=context.rides)

    def _find_code(self, context: Context, style: Tensor | None) -> Tensor:
        """Return each picture's style code, N `code`: of the picture of style, of words, or drawn from its seed."""
        weight = next(self.encoder.parameters())
        neutral = self._tell([dict(self.defaults)] * len(context.seeds))
        if style is not None:
            self._refuse_words()
            code = self.encoder(fit_style(style).to(weight.dtype))
        elif not self.small and not self.conditions:
            code = context.normal(self.arguments.code)
        else:
            code = self._tell(self._choose_words(context))
        code = torch.lerp(neutral.float(), code.float(), self.options.strength)
        return fix_length(code) if self.small else code

    def _tell(self, words: list[dict[str, str]]) -> Tensor:
        """Return the codes of words, a row a picture."""
        weight = next(self.words.parameters())
        rows = self.conditions.encode(words) if self.conditions else torch.zeros(len(words), 0)
        return self.words(encode_words(rows).to(weight))

    def _choose_words(self, context: Context) -> list[dict[str, str]]:
        """Return for each picture a word a condition: asked for, drawn, known of the picture, or the default."""
        chosen: list[dict[str, str]] = []
        for index, seed in enumerate(context.seeds):
            facts = context.facts[index] if index < len(context.facts) else {}
            row: dict[str, str] = {}
            for place, (name, words) in enumerate(self.conditions.known.items()):
                one = Conditions({name: words}, self.defaults)
                row |= one.choose(self.asked.get(name, Asked()), mix_seeds(seed, place), facts)
            chosen.append(row)
        return chosen

    def _refuse_words(self) -> None:
        given = [name for name in ("light", "weather") if getattr(self.options, name) is not None]
        if given:
            raise OptionError(
                f"spade({given[0]}=...): the picture given as style brings its own light and weather: leave "
                f"{' and '.join(given)} out, or name the style by a word."
            )


def read_words(options: SpadeOptions, header: ModelHeader) -> dict[str, Asked]:
    """Return what the options ask for, by condition.

    Raises OptionError for a word that the model does not know, and for an option about which it knows none.
    """
    asked = {}
    for option, name in CONDITIONS.items():
        text = getattr(options, option)
        if text is None:
            continue
        if name not in header.conditions:
            known = [each for each, column in CONDITIONS.items() if column in header.conditions]
            hint = f"it takes {' and '.join(known)}" if known else "give it a picture: -i style=PICTURE"
            raise OptionError(f"spade({option}={text!r}): this model knows no words for {option}; {hint}.")
        asked[name] = Conditions({name: header.conditions[name]}).parse(text, "spade", option)
    return asked
