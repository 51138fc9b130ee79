"""Seeds from seeds, the same on every machine and in every order of work."""

from __future__ import annotations

MAX_COUNT = 100_000
"""Seeds that one run counts through: pictures of one input, or of none."""

_MASK = 0xFFFFFFFFFFFFFFFF


def mix_seeds(*numbers: int) -> int:
    """Mix integers into one seed in [0, 2**63) (splitmix64, Steele et al. 2014): near inputs give far outputs."""
    state = 0
    for number in numbers:
        state = (state + number + 0x9E3779B97F4A7C15) & _MASK
        state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
        state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
        state ^= state >> 31
    return state >> 1
