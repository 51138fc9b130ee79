"""Paints a plan's sky, mountains, hills, ground and water onto a canvas."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas, Mask
from artkit_atelier.classes import CLOUD, GRASS, HILL, MOUNTAIN, PATH, ROCK, SAND, SUN, TREE, WATER
from artkit_atelier.heaps import Heap
from artkit_atelier.light import MATERIAL
from artkit_atelier.noise import Array, noise_line, noise_plane, texture
from artkit_atelier.plan import Cloud, Grove, Plan, Ridge, Winding


def paint_sky(canvas: Canvas, plan: Plan) -> None:
    """Paint the sun and the clouds before it."""
    if plan.sun:
        _disc(canvas, plan.sun.x, plan.sun.y, plan.sun.radius)
    for cloud in plan.clouds:
        paint_cloud(canvas, cloud, plan.naive)


def _disc(canvas: Canvas, x: float, y: float, radius: float) -> None:
    box = canvas.box(x - radius / canvas.aspect, x + radius / canvas.aspect, y - radius, y + radius)
    if box:
        across, down = (canvas.x[box[1]] - x) * canvas.aspect, canvas.y[box[0]] - y
        canvas.fill(box, across**2 + down[:, None] ** 2 < radius**2, SUN, MATERIAL["sun"])


def paint_cloud(canvas: Canvas, cloud: Cloud, naive: bool) -> None:
    """Paint a heap of puffs with a flat foot, or a feathered streak."""
    rng = np.random.default_rng(cloud.seed)
    reach = cloud.width / canvas.aspect * 0.62
    centre = cloud.x - canvas.pan * 0.02
    box = canvas.box(centre - reach, centre + reach, cloud.y - cloud.height * 1.3, cloud.y + cloud.height * 0.75)
    if not box:
        return
    u = (canvas.x[box[1]] - centre) * canvas.aspect / cloud.width
    v = (canvas.y[box[0]] - cloud.y) / cloud.height
    if cloud.sort == "streak":
        body = 1 - (2 * u) ** 2 - (1.6 * (v[:, None] + 0.3 * u)) ** 2
        body = body + 0.8 * noise_plane(rng, v * 0.4, u, (3, 3), 3)
        up, side = np.clip(-v[:, None] * 0.5, -1, 1) + 0 * body, 0 * body
    else:
        body, side, up = _puffs(rng, u, v, naive)
    canvas.fill(box, body > 0, CLOUD, MATERIAL["cloud"], 0.0, side, up, np.clip(body, 0, 1))


def _puffs(rng: np.random.Generator, u: Array, v: Array, naive: bool) -> tuple[Array, Array, Array]:
    """Return the thickness of a heap of balls over (v, u) and which way its surface faces."""
    count = int(rng.integers(3, 5)) if naive else int(rng.integers(14, 22))
    cu = rng.permutation(np.linspace(-0.4, 0.4, count)) + rng.uniform(-0.03, 0.03, count)
    heap = 1 - (cu / 0.5) ** 2
    radius = (0.09 + 0.1 * heap) * (1.4 if naive else rng.uniform(0.6, 1.15, count))
    cv = 0.35 - heap * (0.35 if naive else rng.uniform(0.0, 1.1, count))
    ratio = 2.8  # a ball is round on screen: v runs faster than u by the cloud's own shape
    order = np.argsort(cv)
    ragged = 0.0 if naive else 0.3 * noise_plane(rng, v / ratio, u, (8, 8), 4, 0.6)
    balls = Heap(cu[order], cv[order], radius[order], radius[order] * ratio)
    body, side, down = balls.surface(u, v, ragged, 0.6)
    if not naive:
        body = np.minimum(body, (0.6 - v[:, None]) * 2 + ragged)
    lift = np.clip(-v * 0.55, -0.7, 0.7)[:, None]
    return body, np.clip(side, -1, 1) * 0.6, np.clip(0.15 - 0.45 * down + lift + 0.5 * ragged, -1, 1)


def paint_ridge(canvas: Canvas, ridge: Ridge, horizon: float) -> None:
    """Paint a layer of mountains (faces, gullies, snow) or hills from its outline down."""
    x = canvas.world(ridge.nearness)
    outline = ridge.outline(x)
    rows = canvas.rows(float(outline.min()), min(1.0, max(float(outline.max()), horizon) + 0.1))
    box = (rows, slice(None))
    y = canvas.y[rows]
    depth = y[:, None] - outline
    rng = np.random.default_rng(ridge.seed)
    if ridge.label == MOUNTAIN:
        _mountain(canvas, ridge, box, x, depth, horizon, rng)
    else:
        slope = np.gradient(outline, x) if len(x) > 1 else np.zeros_like(outline)
        woods = np.clip(noise_plane(rng, y, x, (14, 6), 4, 0.6) - 0.25, 0, 0.3)
        grain = noise_plane(rng, y, x, (60, 60), 2) - 6 * woods
        fade = np.exp(-np.clip(depth, 0, 1) * 7)
        canvas.fill(
            box, depth > 0, HILL, MATERIAL["hill"], ridge.haze + 0.1 * (1 - fade), np.tanh(slope * 3) * fade * 0.8,
            0.2 + 0.4 * fade, 0.1 * grain,
        )  # fmt: skip


def _mountain(
    canvas: Canvas, ridge: Ridge, box: tuple[slice, slice], x: Array, depth: Array, horizon: float, rng: np.random.Generator
) -> None:
    y = canvas.y[box[0]]
    # Faces: the slope of the outline, carried down along gullies that wander the farther they run.
    line = np.linspace(-1, 2, 769, dtype=np.float32)
    face = np.tanh(np.gradient(ridge.outline(line), line) * 1.3).astype(np.float32)
    face = 0.4 * face + 0.6 * np.convolve(face, np.ones(17, np.float32) / 17, "same")
    wander = noise_plane(rng, y, x, (10, 13), 4, 0.6)
    source = x + np.clip(depth, 0, 0.3) * 0.45 * wander
    side = face[np.clip((source + 1) * 256, 0, 768).astype(np.int32)]
    crags = noise_plane(rng, y, x, (22, 30), 3, 0.6)
    rise = (horizon - y)[:, None] + 0.05 * wander + 0.03 * crags
    haze = np.clip(ridge.haze + 0.25 * (1 - np.clip((horizon - y) / 0.22, 0, 1))[:, None], 0, 0.92)
    rock = depth > 0
    canvas.fill(box, rock, MOUNTAIN, MATERIAL["mountain"], haze, side, 0.15 - 0.2 * np.abs(side), 0.14 * crags)
    if ridge.snow:
        snowy = rock & (rise - 0.06 * np.abs(side) > ridge.snow)
        canvas.fill(box, snowy, MOUNTAIN, MATERIAL["snow"], haze * 0.8, side, 0.25, 0.04 * crags)


def paint_headland(canvas: Canvas, plan: Plan) -> None:
    """Paint a rocky cape, with grass on its back, that ends in the sea."""
    ridge = plan.headland
    if not ridge:
        return
    x = canvas.world(ridge.nearness)
    outline, foot = ridge.outline(x), plan.shore + 0.015
    rows = canvas.rows(float(outline.min()), foot)
    y, box = canvas.y[rows], (rows, slice(None))
    rng = np.random.default_rng(ridge.seed)
    depth, crack = y[:, None] - outline, noise_plane(rng, y, x, (8, 40), 4, 0.6)
    side, tone = np.clip(1.2 * crack, -1, 1), 0.14 * noise_plane(rng, y, x, (60, 30), 2)
    cape = (depth > 0) & (y[:, None] < foot) & (outline < foot - 0.01)
    canvas.fill(box, cape, ROCK, MATERIAL["rock"], ridge.haze, side, 0.1, tone)
    turf = cape & (depth < 0.02 + 0.015 * crack)
    canvas.fill(box, turf, HILL, MATERIAL["hill"], ridge.haze, 0.0, 0.5, tone)


def paint_grove(canvas: Canvas, grove: Grove) -> None:
    """Paint a wood along a line: the outline of many small crowns."""
    rng = np.random.default_rng(grove.seed)
    x = canvas.world(grove.nearness)
    feet = grove.line(x)
    pitch = grove.height * (0.42 if grove.sort == "conifer" else 0.75)
    count = int(2.4 / pitch)
    where = (-0.5 + 2.4 * (np.arange(count) + rng.uniform(0, 1, count)) / count).astype(np.float32)
    tall = (grove.height * rng.uniform(0.55, 1.15, count)).astype(np.float32)
    density = noise_line(np.random.default_rng(grove.seed + 1), where, 3, 2)
    where, tall = where[density > grove.gaps], tall[density > grove.gaps]
    if not len(where):
        return
    across = (x[:, None] - where) * canvas.aspect / (tall * (0.3 if grove.sort == "conifer" else 0.55))
    crown = 1 - np.abs(across) if grove.sort == "conifer" else np.sqrt(np.clip(1 - across**2, 0, 1))
    reach = np.where(np.abs(across) < 1, tall * crown, 0)
    owner = reach.argmax(1)
    height = reach.max(1)
    side = np.clip(across[np.arange(len(x)), owner], -1, 1)
    top = feet - height + (0.0 if grove.sort == "conifer" else -0.1 * grove.height * (height > 0))
    rows = canvas.rows(float(top.min()), float(feet.max()) + grove.height * 0.2)
    y = canvas.y[rows]
    leaf = noise_plane(rng, y, x, (70, 90), 2)
    inside = (y[:, None] > top + 0.05 * grove.height * leaf) & (y[:, None] < feet + 0.12 * grove.height) & (height > 0)
    climb = np.clip((feet - y[:, None]) / grove.height, 0, 1)
    material = MATERIAL["needles" if grove.sort == "conifer" else "forest"]
    canvas.fill((rows, slice(None)), inside, TREE, material, grove.haze, side * 0.8, climb * 0.9 - 0.4, 0.2 * leaf)


def paint_ground(canvas: Canvas, plan: Plan, seed: int) -> None:
    """Paint the ground with its beaches, water and paths."""
    rng = np.random.default_rng(seed)
    edge = plan.ground(canvas.world(0.1))
    rows = canvas.rows(float(edge.min()))
    box, y = (rows, slice(None)), canvas.y[rows]
    near = np.clip((y[:, None] - edge) / (1 - edge), 0, 1)
    land = y[:, None] > edge
    grain = texture(rng, y, canvas.world(0.6), plan.horizon, 9, 2.2)
    fine = texture(rng, y, canvas.world(0.6), plan.horizon, 34, 0.5)
    ragged = np.zeros_like(grain) if plan.naive else grain
    haze = 0.34 * np.exp(-near * 7) + 0.02
    soil = "sand" if plan.soil == SAND else "grass"
    swell = noise_plane(rng, y, canvas.world(0.4), (7, 2), 2)
    tone = 0.05 * grain + 0.05 * swell + (0.1 if soil == "grass" else 0.03) * fine
    canvas.fill(box, land, plan.soil, MATERIAL[soil], haze, 0.5 * swell, 0.35, tone)
    if plan.path:
        mask = _inside(plan.path, canvas, near, 1.0, ragged) & land
        canvas.fill(box, mask, PATH, MATERIAL["path"], haze, 0, 0.35, 0.05 * grain + 0.04 * fine)
    if plan.basin:
        _basin(canvas, plan, box, land, haze, grain, rng)
    if plan.river:
        bank = _inside(plan.river, canvas, near, 1.25, ragged) & land
        canvas.fill(box, bank, SAND, MATERIAL["sand"], haze, 0, 0.3, 0.05 * grain)
        stream = _inside(plan.river, canvas, near, 1.0, ragged) & land
        canvas.fill(box, stream, WATER, MATERIAL["water"], haze)


def _inside(winding: Winding, canvas: Canvas, near: Array, wide: float, grain: Array) -> Mask:
    """Return where a river or path runs, `wide` times its width, with edges nibbled by the ground's texture."""
    across = np.abs(canvas.x + canvas.pan * near - winding.centre(near)) * canvas.aspect
    width = winding.half_width(near) * wide
    return (across < width * (1 + 0.12 * grain)) & (near >= winding.far) & (near <= winding.near)


def _basin(
    canvas: Canvas, plan: Plan, box: tuple[slice, slice], land: Mask, haze: Array, grain: Array, rng: np.random.Generator
) -> None:
    basin, y = plan.basin, canvas.y[box[0]][:, None]
    assert basin is not None
    far = basin.far(canvas.world(plan.nearness(basin.far.base)))
    near = basin.near(canvas.world(plan.nearness(basin.near.base)))
    wet = (y > far) & (y < near)
    if basin.beach:
        wobble = noise_line(rng, canvas.world(0.5), 2.5, 1 if plan.naive else 3)
        beach = basin.beach * np.clip(1 + 0.5 * wobble, 0.2, 2)
        lit = (y > far - 0.15 * beach) & (y < near + beach * (1 + 0.04 * grain)) & (near > far - beach)
        canvas.fill(box, lit & land, SAND, MATERIAL["sand"], haze, 0, 0.3, 0.05 * grain)
    canvas.fill(box, wet & land if plan.kind != "coast" else wet, WATER, MATERIAL["water"], haze)
    if plan.kind == "coast":
        foam = wet & (y > near - 0.02 * np.clip(1 + grain, 0.2, 2) * (near - plan.horizon) / (1 - plan.horizon))
        canvas.fill(box, foam, WATER, MATERIAL["foam"], haze, 0, 0.3, 0.05 * grain)
