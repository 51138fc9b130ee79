"""Run a stackgan model: the translator."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from artkit import Context, ModelError, ModelHeader, OptionError, Translator, nearest
from artkit.errors import excerpt
from artkit.images import one_hot, paint_labels, resize_image
from artkit.nn import RESULT_FIELD, Portable, PortableField, decode_image, read_arguments
from artkit.reporting import warn
from artkit.seeds import mix_seeds
from artkit_stackgan import SPEC, StackganOptions
from artkit_stackgan.arguments import StackganArguments
from artkit_stackgan.networks import Colours, LayoutGenerator, Painter, Reader, TextEncoder, enlarge
from artkit_stackgan.portable import PortablePainting, PortableSketch
from artkit_stackgan.words import bag_of

CAPTION = "caption"
"""The fact about a picture that is painted where nothing is said."""
MOST_TOLD = 600
"""Characters of a hint at known words."""
READ = 0.5
"""A word is read where the reader gives it so much."""


@lru_cache(256)
def _warn_once(message: str) -> None:
    """Warn, but not anew for each translator of one step: a model's file is checked with one before it is loaded."""
    warn(message)


class Stackgan(Translator):
    """Both stages of a trained model, and its text encoder. Pictures are computed one by one: borders must not move."""

    spec = SPEC
    options: StackganOptions
    header: ModelHeader
    text: TextEncoder
    generator: LayoutGenerator
    colours: Colours
    painter: Painter
    reader: Reader

    def __init__(self, options: StackganOptions, header: ModelHeader) -> None:
        super().__init__(options, header)
        self.arguments = read_arguments(header, StackganArguments)
        if header.classes is None or len(header.classes) != self.arguments.classes:
            raise ModelError("this stackgan model has no class set in its header that fits it: export it again.")
        self.vocabulary = self.arguments.vocabulary
        for name, network in self.arguments.build_all().items():
            setattr(self, name, network)
        if options.frames and options.morph is None:
            raise OptionError("stackgan(frames=...): the way to where? Say a second sentence: morph='a lake at dusk'.")
        for option in ("text", "morph"):
            self._check_words(option, getattr(options, option))

    def portable(self) -> Portable | None:
        """Return both stages, or the first; label maps, and the best of several tries, are no one network's."""
        stage, side, known = self.options.stage, self.arguments.sketch, self.vocabulary
        if stage == 0 or self.options.tries > 1 or self.options.morph is not None:
            return None
        told = "the sentence: the place of each word in the list, from 1, and 0 where there is none"
        words = PortableField("words", "words", (1, "length"), told, {"words": list(known.words)})
        told = "the chance in it: normal noise of mean 0 and variance 1; zeros give the likeliest layout"
        noise = PortableField("noise", "noise", (1, self.arguments.latent), told)
        networks = self.text, self.generator, self.colours
        if stage == 1:
            sketch = PortableSketch(*networks, side, self.options.truncation)
            return Portable(
                sketch, (words, noise), replace(RESULT_FIELD, axes=(1, 3, side, side)), self._feed, _enlarge
            )
        told = "the chance in the painting: normal noise of mean 0 and variance 1, as large as the picture"
        grain = PortableField("grain", "noise", (1, 1, "height", "width"), told)
        painting = PortablePainting(*networks, self.painter, self.options.truncation)
        return Portable(painting, (words, noise, grain), RESULT_FIELD, self._feed)

    def _feed(self, context: Context) -> tuple[Tensor, ...]:
        words = self.vocabulary.encode([self.options.text or context.fact(0, CAPTION) or ""])
        noise = self._draw((self.arguments.latent,), mix_seeds(context.seeds[0], 0))
        grain = self._draw((1, context.height, context.width), mix_seeds(context.seeds[0], 1))
        return (words, noise) if self.options.stage == 1 else (words, noise, grain)

    def translate(self, context: Context) -> Tensor:
        """Paint a sentence for each picture: N3HW in [0, 1]."""
        size, made = (context.height, context.width), []
        for index, (seed, number) in enumerate(zip(context.seeds, context.numbers, strict=True)):
            said = self.options.text
            sentence = (context.fact(index, CAPTION) or "") if said is None else said
            made.append(self._paint(sentence, seed, number, size))
        return torch.cat(made)

    def report(self, output: Tensor) -> list[dict[str, Any]]:
        """Return which words were used and which are unknown, and how well each is read in the picture, 1 at best.

        Where no sentence was written as an option, all words that are read. Label maps are not read.
        """
        said, used = self.options.text, self.vocabulary.known(self.options.text or "")
        told = {} if said is None else {"words": used, "unknown": self.vocabulary.unknown(said)}
        if self.options.stage == 0:
            return [told for _ in output]
        weight = self.reader.base.weight
        with torch.inference_mode():
            scores = self.reader(output.to(weight.device, weight.dtype)).float().cpu()
        return [told | {"read": self._name(row, used if said is not None else None)} for row in scores]

    def _name(self, scores: Tensor, used: list[str] | None) -> dict[str, float]:
        named = dict(zip(self.vocabulary.words, scores.tolist(), strict=True))
        wanted = [word for word, score in named.items() if score > READ] if used is None else dict.fromkeys(used)
        return {word: round(named[word], 3) for word in wanted}

    def _paint(self, sentence: str, seed: int, number: int, size: tuple[int, int]) -> Tensor:
        """Paint one sentence, or what lies on the way to the second one: 1 3 H W in [0, 1]."""
        options, share = self.options, self.options.share if self.options.morph is not None else 0.0
        if options.frames:
            start, step = divmod(number, options.frames)
            seed, share = mix_seeds(start, 0), step / max(options.frames - 1, 1)
        ends = [self._understand(words) for words in (sentence, options.morph or sentence)]
        mean, log_variance, said = (torch.lerp(a, b, share) for a, b in zip(*ends, strict=True))
        logits = self._sketch(mean, log_variance, said, seed)
        if options.stage == 1:
            side = self.arguments.sketch
            sketch = decode_image(self.colours(enlarge(logits, (side, side)).to(said), said))
            return resize_image(sketch.float(), size)
        labels = F.interpolate(logits, size, mode="bilinear").argmax(1)
        if options.stage == 0:
            assert self.header.classes is not None
            return paint_labels(labels, self.header.classes)
        layout = one_hot(labels, self.arguments.classes).to(said)
        noise = self._draw((1, *size), mix_seeds(seed, options.tries)).to(said)
        return decode_image(self.painter(layout, self.colours(layout, said), noise, said))

    def _understand(self, sentence: str) -> tuple[Tensor, Tensor, Tensor]:
        """Return the distribution of a sentence's codes, mean and log variance, and what it says, 1 V."""
        weight = self.text.base.weight
        words = self.vocabulary.encode([sentence]).to(weight.device)
        return *self.text(words), bag_of(words, len(self.vocabulary)).to(weight)

    def _sketch(self, mean: Tensor, log_variance: Tensor, said: Tensor, seed: int) -> Tensor:
        """Return the logits of a sketch, 1 K S S; of several tries that one in which the words are read best."""
        spread, best, most = self.options.truncation * (log_variance / 2).exp(), None, -torch.inf
        for attempt in range(self.options.tries):
            noise = self._draw(mean.shape[1:], mix_seeds(seed, attempt)).to(mean)
            logits = self.generator(mean + spread * noise).float()
            score = self._obedience(logits, said) if self.options.tries > 1 else 0.0
            if best is None or score > most:
                best, most = logits, score
        assert best is not None
        return best

    def _obedience(self, logits: Tensor, said: Tensor) -> float:
        """Return how well the words that are said are read in a sketch: the mean over them, each up to 1."""
        sketch = decode_image(self.colours(F.softmax(logits, 1).to(said), said)).clamp(0, 1)
        return float((self.reader(sketch).clamp(0, 1) * said).sum() / said.sum().clamp_min(1))

    def _draw(self, shape: tuple[int, ...], seed: int) -> Tensor:
        return torch.randn(1, *shape, generator=torch.Generator().manual_seed(seed))

    def _check_words(self, option: str, text: str | None) -> None:
        """Name words that the model does not know, with the nearest; raise OptionError where it knows none."""
        if text is None:
            return
        unknown = self.vocabulary.unknown(text)
        if not self.vocabulary.known(text):
            hint = self._hint(unknown[0] if unknown else "")
            raise OptionError(f"stackgan({option}={excerpt(text)!r}): this model knows none of these words. {hint}")
        for word in unknown:
            _warn_once(
                f"stackgan({option}): this model never read '{excerpt(word)}', and leaves it out. {self._hint(word)}"
            )

    def _hint(self, word: str) -> str:
        return excerpt(nearest(word, self.vocabulary.words), MOST_TOLD)


def _enlarge(sketch: Tensor, context: Context) -> Tensor:
    """Return a sketch at the size that is asked for, as stage 1 shows it."""
    return resize_image(sketch, (context.height, context.width))
