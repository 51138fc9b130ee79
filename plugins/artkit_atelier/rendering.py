"""Lights a canvas: sky, surfaces, air and water, in the colours of a time of day and a weather."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas
from artkit_atelier.classes import CLOUD, GRASS, SKY, SUN, WATER
from artkit_atelier.light import ALBEDO, MATERIAL, Light
from artkit_atelier.noise import Array, texture
from artkit_atelier.plan import Plan


def render(canvas: Canvas, plan: Plan, light: Light, seed: int) -> Array:
    """Return the scene's picture (H, W, 3) float32 in [0, 1]."""
    rng = np.random.default_rng(seed)
    sky = _sky(canvas, plan, light, rng)
    photo = _surfaces(canvas, plan, light)
    _flowers(photo, canvas, plan, rng)
    _clouds(photo, canvas, sky, light)
    open_sky = canvas.labels == SKY
    photo[open_sky] = sky[open_sky]
    _water(photo, canvas, plan, light, sky, rng)
    _soften(photo, canvas.labels)
    return np.clip(photo, 0, 1)


def _sky(canvas: Canvas, plan: Plan, light: Light, rng: np.random.Generator) -> Array:
    """Return the sky's gradient, with a glow about the sun, over the whole frame."""
    down = np.clip(canvas.y / (plan.horizon + 0.02), 0, 1)
    fall = 0.65 * down + 0.35 * down**4
    sky = light.zenith + (light.horizon - light.zenith) * fall[:, None]
    sky = np.repeat(sky[:, None].astype(np.float32), canvas.shape[1], 1)
    if plan.sun:
        across = (canvas.x - plan.sun.x) * canvas.aspect
        above = (canvas.y - plan.sun.y)[:, None]
        glow = np.exp(-np.sqrt(across**2 + above**2) * 5).astype(np.float32) * np.float32(light.glow * 0.8)
        for channel in range(3):
            bright = min(float(light.sun[channel]) * 1.5, 1.0)
            sky[..., channel] += glow * (bright - 0.5 * sky[..., channel])
    return sky


def _direction(canvas: Canvas, plan: Plan) -> Array:
    """Return where light comes from at each column, -1 left to 1 right: the sun, or the upper left."""
    if not plan.sun:
        return np.full(canvas.shape[1], -0.8, np.float32)
    return np.tanh((plan.sun.x - canvas.x) * 3).astype(np.float32)


def _surfaces(canvas: Canvas, plan: Plan, light: Light) -> Array:
    """Return every surface in sunlight and ambient light, behind the air that lies between it and the eye."""
    facing = canvas.side * _direction(canvas, plan) * 0.75 + canvas.up * 0.55
    lambert = np.clip(0.5 + 0.6 * facing, 0.05, 1.15) * (1 - canvas.shadow)
    bounce, grain, veil = 1 + 0.15 * canvas.up, 1 + canvas.tone, canvas.haze * np.float32(light.haze)
    photo = np.empty((*canvas.shape, 3), np.float32)
    for channel in range(3):
        air = 0.45 * light.zenith[channel] + 0.55 * light.horizon[channel]
        lit = light.ambient[channel] * bounce + light.sun[channel] * lambert
        colour = ALBEDO[:, channel][canvas.material] * lit * grain
        photo[..., channel] = colour + veil * (air - colour)
    return photo


def _clouds(photo: Array, canvas: Canvas, sky: Array, light: Light) -> None:
    where = canvas.labels == CLOUD
    if where.any():
        shade = np.clip(0.5 + 0.5 * canvas.up[where], 0, 1)[:, None]
        dark = 0.35 * light.ambient + 0.62 * (0.55 * light.zenith + 0.45 * light.horizon)
        bright = np.minimum(light.ambient + light.sun * 0.9, 1.0)
        bright = bright + light.glow * 0.6 * (light.horizon - bright)
        thick = np.clip(0.35 + canvas.tone[where] * 3, 0, 1)[:, None]
        body = dark + (bright - dark) * shade
        photo[where] = sky[where] + (body - sky[where]) * thick
    sun = canvas.labels == SUN
    photo[sun] = np.minimum(ALBEDO[MATERIAL["sun"]] * (0.55 + light.horizon * 0.5), 1.0)


def _flowers(photo: Array, canvas: Canvas, plan: Plan, rng: np.random.Generator) -> None:
    """Dot meadows with flowers and blades of grass, larger nearby."""
    height, width = canvas.shape
    count = 700
    near = rng.uniform(0.08, 1, count) ** 0.7
    x, y = rng.uniform(-0.3, 1.3, count) - canvas.pan * near, plan.horizon + near * (1 - plan.horizon)
    tints = np.array([(0.95, 0.93, 0.85), (0.95, 0.8, 0.25), (0.8, 0.3, 0.3), (0.6, 0.5, 0.8)], np.float32)
    tint = tints[rng.integers(4, size=count)]
    patch = np.sin(x * 9 + near * 5 + rng.uniform(0, 6)) + rng.normal(0, 0.6, count) > 1.0
    light = photo[canvas.labels == GRASS].mean() / 0.45 if (canvas.labels == GRASS).any() else 1.0
    size = np.maximum(1, np.round(near * height / 110)).astype(int)
    for k in np.flatnonzero(patch):
        row, column = int(y[k] * height), int(x[k] * width)
        spot = (slice(max(row, 0), row + size[k]), slice(max(column, 0), max(0, column + size[k])))
        meadow = canvas.labels[spot] == GRASS
        photo[spot][meadow] = tint[k] * min(light, 1.1)


def _water(photo: Array, canvas: Canvas, plan: Plan, light: Light, sky: Array, rng: np.random.Generator) -> None:
    """Mirror in the water what stands beyond it, broken by ripples."""
    wet = (canvas.labels == WATER) & (canvas.material == MATERIAL["water"])
    if not wet.any():
        return
    height, width = canvas.shape
    rows, columns = np.nonzero(wet)
    shore = plan.shore
    depth = np.clip(canvas.y[rows] - shore, 0, 1)
    top = rows.min()
    ripple = texture(rng, canvas.y[top:], canvas.world(0.5), plan.horizon - 0.05, 6, 7)[rows - top, columns]
    mirror = _mirrored(depth * (1 + 0.06 * ripple) + 0.004 * ripple, shore, plan.horizon)
    from_row = np.clip(mirror * height, 0, height - 1).astype(np.int32)
    from_column = np.clip(columns + ripple * (1 + depth * 0.02 * width), 0, width - 1).astype(np.int32)
    # The sun's image breaks into glints, and things that stand before the far shore cast none.
    label = canvas.labels[from_row, from_column]
    near = (canvas.haze[from_row, from_column] < 0.1) & (label != SKY) & (label != CLOUD)
    reflected = np.where(near[:, None], sky[from_row, from_column], photo[from_row, from_column])
    below = ALBEDO[MATERIAL["water"]] * (light.ambient + light.sun * 0.6)
    strength = np.clip(0.8 - 0.7 * depth, 0.3, 0.8)[:, None]
    bright = 0.035 * ripple
    if plan.sun:
        aside = (canvas.x[columns] - plan.sun.x) * canvas.aspect / (0.03 + 0.12 * depth)
        bright += light.glow * np.exp(-(aside**2)) * np.clip(0.9 * ripple, 0, 0.6)
    photo[rows, columns] = below + (reflected - below) * strength + bright[:, None] * (light.ambient + light.sun)


def _mirrored(depth: Array, shore: float, horizon: float) -> Array:
    """Return the row seen in water `depth` below its far shore: level ground is foreshortened, what rises is not."""
    ground = max(shore - horizon, 0.0)
    return np.where(depth < 0.35 * ground, shore - depth / 0.35, horizon - (depth - 0.35 * ground))


def _soften(photo: Array, labels: np.ndarray) -> None:
    """Smooth the steps between classes, as a lens would."""
    edge = np.zeros(labels.shape, bool)
    across, down = labels[:, 1:] != labels[:, :-1], labels[1:] != labels[:-1]
    edge[:, 1:] |= across
    edge[:, :-1] |= across
    edge[1:] |= down
    edge[:-1] |= down
    rows, columns = np.nonzero(edge)
    last = labels.shape[0] - 1, labels.shape[1] - 1
    around = (
        photo[np.maximum(rows - 1, 0), columns] + photo[np.minimum(rows + 1, last[0]), columns]
        + photo[rows, np.maximum(columns - 1, 0)] + photo[rows, np.minimum(columns + 1, last[1])]
    )  # fmt: skip
    photo[rows, columns] = 0.5 * photo[rows, columns] + 0.125 * around
