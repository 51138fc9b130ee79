"""Conditions: the words that steer a conditional network, their grammar, and their one-hot encoding."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from artkit.errors import ModelError, OptionError, nearest

ANY = "any"
"""The word that lets the seed choose what is left out."""
FILM = "film.weight"
"""What the names of weights end in that have a column for each word."""


@dataclass(frozen=True)
class Asked:
    """What a `condition` says: a word for some conditions, by name; with `drawn`, the seed chooses the others."""

    words: Mapping[str, str] = field(default_factory=dict)
    drawn: bool = False


@dataclass(frozen=True)
class Conditions:
    """The conditions of a network, by name, each with the words it knows, in index order: `{"time": ("dusk", "noon")}`.

    `defaults` are the words where nothing is known; the first one of a condition that has no default there.
    """

    known: Mapping[str, Sequence[str]]
    defaults: Mapping[str, str] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.known)

    @property
    def channels(self) -> int:
        """The length of the one-hot encoding."""
        return sum(len(words) for words in self.known.values())

    def check_taken(self, taken: int, method: str) -> None:
        """Check that a network of a model of `method` takes as many numbers. Raises ModelError else."""
        if taken != self.channels:
            raise ModelError(
                f"this {method} model knows {self.channels} words, and its network takes {taken}: export it again."
            )

    def parse(self, text: str | None, owner: str, option: str = "condition") -> Asked:
        """Read words in any order, with blanks or commas between: `dusk misty`, `misty`, `dusk, any`.

        Raises OptionError naming `owner`, a method, its option, and the nearest word.
        """
        words: dict[str, str] = {}
        spoken = (text or "").replace(",", " ").split()
        if spoken and not self.known:
            raise OptionError(f"{owner}({option}={text!r}): this model takes no conditions; leave it out.")
        for word in (word for word in spoken if word != ANY):
            name = next((name for name, known in self.known.items() if word in known and name not in words), None)
            if name is None:
                raise OptionError(f"{owner}({option}={text!r}): {self._complaint(word, words)}")
            words[name] = word
        return Asked(words, ANY in spoken)

    def _complaint(self, word: str, words: Mapping[str, str]) -> str:
        all_known = [word for known in self.known.values() for word in known]
        if word in all_known:
            said = next(said for name, said in words.items() if word in self.known[name])
            return f"'{word}' and '{said}' exclude each other; name one of them."
        return f"this model knows no '{word}'.{nearest(word, [*all_known, ANY])}"

    def choose(self, asked: Asked, seed: int, facts: Mapping[str, str]) -> dict[str, str]:
        """Return a word for each condition: what is asked, or drawn, else what is known of the picture, else default.

        `facts` are what is known of the picture, by name; of them, words that the network does not know are passed by.
        """
        generator = torch.Generator().manual_seed(seed)
        chosen = {}
        for name, words in self.known.items():
            drawn = words[int(torch.randint(len(words), (), generator=generator))]
            fact = facts.get(name, "")
            default = fact if fact in words else self.defaults.get(name, words[0])
            chosen[name] = asked.words.get(name) or (drawn if asked.drawn else default)
        return chosen

    def encode(self, rows: Sequence[Mapping[str, str]]) -> Tensor:
        """Make one one-hot row a picture, N `channels`; a word that is not known stays zero."""
        return torch.tensor([[float(row.get(name) == word) for name, word in _pairs(self.known)] for row in rows])

    def encode_asked(self, asked: Asked, seeds: Sequence[int], facts: Sequence[Mapping[str, str]]) -> Tensor:
        """Encode what a step asks for a batch of as many pictures as `seeds`, N `channels`; see `choose`."""
        about = [*facts, *({} for _ in seeds)]
        return self.encode([self.choose(asked, seed, known) for seed, known in zip(seeds, about, strict=False)])

    def encode_columns(self, columns: Mapping[str, Sequence[str]]) -> Tensor:
        """Encode a training batch, whose text columns have the conditions' names: N `channels`."""
        rows = zip(*(columns[name] for name in self.known), strict=True)
        return self.encode([dict(zip(self.known, row, strict=True)) for row in rows])


def fit_words(
    tensors: Mapping[str, Tensor], before: Mapping[str, Sequence[str]], after: Mapping[str, Sequence[str]]
) -> dict[str, Tensor]:
    """Return the tensors of a network that knew the words `before` as those of one that knows `after`.

    Words that are new to it change nothing at first: their columns in its FiLM layers are zero. Those of words that
    are no longer there are left out. A layer that has not a column for each word of `before` stays as it is.
    """
    known = _pairs(before)
    old = {pair: place for place, pair in enumerate(known)}
    places = [old.get(pair, len(known)) for pair in _pairs(after)]

    def widen(weight: Tensor) -> Tensor:
        if weight.shape[1:] != (len(known),):
            return weight
        return torch.cat([weight, weight.new_zeros(len(weight), 1)], 1)[:, places]

    return {name: widen(tensor) if name.endswith(FILM) else tensor for name, tensor in tensors.items()}


def _pairs(known: Mapping[str, Sequence[str]]) -> list[tuple[str, str]]:
    return [(name, word) for name, words in known.items() for word in words]


def condition_planes(condition: Tensor, like: Tensor) -> Tensor:
    """Spread one-hot rows N C over the places of a picture `like`, N _ H W: N C H W, for a discriminator to see."""
    return condition.to(like)[:, :, None, None].expand(-1, -1, *like.shape[-2:])
