"""Times of day, weathers, and what they make of each material."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from artkit_atelier.noise import Array

TIMES = ("morning", "noon", "golden", "dusk")
WEATHERS = ("clear", "cloudy", "overcast", "misty")

# Colours of materials in full white light. The first twelve are the classes themselves.
MATERIALS = {
    "sky": (0.60, 0.75, 0.95), "cloud": (0.96, 0.96, 0.97), "sun": (1.00, 0.95, 0.72), "mountain": (0.50, 0.50, 0.56),
    "hill": (0.40, 0.55, 0.31), "leaves": (0.25, 0.44, 0.17), "grass": (0.46, 0.64, 0.24), "water": (0.10, 0.30, 0.46),
    "sand": (0.90, 0.80, 0.58), "rock": (0.52, 0.48, 0.44), "roof": (0.74, 0.33, 0.22), "path": (0.78, 0.67, 0.49),
    "snow": (0.98, 0.98, 1.00), "trunk": (0.36, 0.26, 0.18), "wall": (0.95, 0.87, 0.73), "window": (0.27, 0.31, 0.38),
    "needles": (0.15, 0.34, 0.20), "forest": (0.22, 0.40, 0.21), "door": (0.42, 0.25, 0.16), "foam": (0.95, 0.97, 0.98),
}  # fmt: skip
MATERIAL = {name: index for index, name in enumerate(MATERIALS)}
ALBEDO = np.array(list(MATERIALS.values()), np.float32)


@dataclass(frozen=True)
class Light:
    """Colours (RGB, [0, 1] or a little above) of a scene's light; strengths in [0, 1]."""

    zenith: Array
    horizon: Array
    sun: Array
    ambient: Array
    glow: float
    haze: float


_TIMES = {
    "morning": ((0.46, 0.68, 0.90), (0.99, 0.91, 0.82), (0.64, 0.56, 0.44), (0.52, 0.56, 0.62), 0.5, 0.80),
    "noon": ((0.22, 0.50, 0.85), (0.76, 0.88, 0.96), (0.66, 0.63, 0.56), (0.47, 0.51, 0.57), 0.3, 0.62),
    "golden": ((0.43, 0.58, 0.84), (1.00, 0.80, 0.60), (0.86, 0.60, 0.32), (0.45, 0.43, 0.47), 0.85, 0.72),
    "dusk": ((0.23, 0.26, 0.54), (0.99, 0.64, 0.52), (0.38, 0.28, 0.34), (0.37, 0.39, 0.58), 0.9, 0.80),
}

# Share of grey mixed into the sky, share of sunlight left, added ambient, added haze.
_WEATHERS = {
    "clear": (0.0, 1.0, 0.0, 0.0),
    "cloudy": (0.18, 0.85, 0.04, 0.05),
    "overcast": (0.75, 0.35, 0.16, 0.15),
    "misty": (0.45, 0.55, 0.10, 0.55),
}


def light_of(time: str, weather: str) -> Light:
    """Return the light at a time of day in a weather."""
    zenith, horizon, sun, ambient = (np.array(colour, np.float32) for colour in _TIMES[time][:4])
    glow, haze = _TIMES[time][4:]
    grey, sunlight, extra, mist = _WEATHERS[weather]
    overcast = np.float32(0.5) * (zenith + horizon)
    overcast = np.float32(0.55) * overcast + np.float32(0.45) * overcast.mean()
    return Light(
        zenith=(zenith + (overcast - zenith) * np.float32(grey)).astype(np.float32),
        horizon=(horizon + (overcast * np.float32(1.05) - horizon) * np.float32(grey * 0.8)).astype(np.float32),
        sun=sun * np.float32(sunlight),
        ambient=ambient * np.float32(1 + extra),
        glow=glow * sunlight,
        haze=min(1.0, haze + mist * 0.5),
    )
