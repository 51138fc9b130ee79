"""The words that a model knows: sentences taken apart, and what of them it has never read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F

MOST_SPOKEN = 64
"""Words of a sentence that count; what comes after them is passed by."""
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def split_words(text: str) -> list[str]:
    """Return the words of a sentence, in lower case, in order."""
    return _WORD.findall(text.casefold())


@dataclass(frozen=True)
class Vocabulary:
    """The words that a model knows, in index order."""

    words: tuple[str, ...]

    def __len__(self) -> int:
        """Return the number of words, V."""
        return len(self.words)

    @classmethod
    def of(cls, captions: Iterable[str], most: int) -> Vocabulary:
        """Return the words that at least two captions use, in alphabetical order; the `most` frequent of them."""
        counts = Counter(word for caption in captions for word in sorted(set(split_words(caption))))
        frequent = [word for word, count in counts.most_common(most) if count > 1]
        return cls(tuple(sorted(frequent)))

    def known(self, text: str) -> list[str]:
        """Return the words of a sentence that the model knows, in order, up to `MOST_SPOKEN`."""
        return [word for word in split_words(text) if word in self._places][:MOST_SPOKEN]

    def unknown(self, text: str) -> list[str]:
        """Return the words of a sentence that the model does not know, each once, in order."""
        return [word for word in dict.fromkeys(split_words(text)) if word not in self._places]

    def encode(self, texts: Sequence[str]) -> Tensor:
        """Return sentences as numbers N L: a word's place in the vocabulary, from 1; 0 where there is none."""
        rows = [[self._places[word] for word in self.known(text)] for text in texts]
        length = max(map(len, rows), default=0) or 1
        return torch.tensor([row + [0] * (length - len(row)) for row in rows], dtype=torch.long).view(-1, length)

    @cached_property
    def _places(self) -> dict[str, int]:
        return {word: place for place, word in enumerate(self.words, 1)}


def bag_of(text: Tensor, count: int) -> Tensor:
    """Return which of `count` words are in sentences N L: N V of ones and zeros."""
    return F.one_hot(text, count + 1).amax(1)[:, 1:].float()


def drop_words(text: Tensor, share: Tensor) -> Tensor:
    """Leave words of sentences N L out at random, each with the chance N that its sentence has."""
    return text * (torch.rand(text.shape, device=text.device) >= share[:, None])
