"""Paints a plan's sky, mountains, hills, ground and water onto a canvas."""

from __future__ import annotations

import numpy as np

from artkit_atelier.canvas import Canvas, Mask
from artkit_atelier.classes import CLOUD, GRASS, HILL, MOUNTAIN, PATH, SAND, SUN, TREE, WATER
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
    """Return the height of a heap of balls over (v, u) and the directions its surface faces."""
    count = int(rng.integers(3, 5)) if naive else int(rng.integers(9, 15))
    cu = np.linspace(-0.36, 0.36, count) + rng.uniform(-0.03, 0.03, count)
    heap = 1 - (cu / 0.5) ** 2
    radius = (0.13 + 0.13 * heap) * (1.25 if naive else rng.uniform(0.6, 1.1, count))
    cv = 0.3 - heap * (0.35 if naive else rng.uniform(0.1, 1.0, count))
    # A puff is round on screen: v runs faster than u by the cloud's own shape.
    ratio = 2.8
    ragged = 0 if naive else 0.16 * noise_plane(rng, v / ratio, u, (7, 7), 3)
    body = np.full((len(v), len(u)), -1.0, np.float32)
    side, up = np.zeros_like(body), np.zeros_like(body)
    for k in rng.permutation(count):
        across = ((u - cu[k]) / radius[k]).astype(np.float32)
        down = ((v - cv[k]) / (radius[k] * ratio)).astype(np.float32)[:, None]
        ball = (1 - across**2 - down**2 + ragged).astype(np.float32)
        front = ball > body
        np.copyto(body, ball, where=front)
        np.copyto(side, np.broadcast_to(across, body.shape), where=front)
        np.copyto(up, np.broadcast_to(-down, body.shape), where=front)
    body[v > 0.62] = -1
    lift = np.clip(-v * 0.5, -0.7, 0.7)[:, None]
    return body, np.clip(side, -1, 1), np.clip(0.6 * up + lift, -1, 1).astype(np.float32)


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
        grain = noise_plane(rng, y, x, (34, 18), 3)
        fade = np.exp(-np.clip(depth, 0, 1) * 7)
        canvas.fill(
            box, depth > 0, HILL, MATERIAL["hill"], ridge.haze + 0.1 * (1 - fade), np.tanh(slope * 3) * fade * 0.8,
            0.2 + 0.4 * fade, 0.16 * grain,
        )  # fmt: skip


def _mountain(
    canvas: Canvas, ridge: Ridge, box: tuple[slice, slice], x: Array, depth: Array, horizon: float, rng: np.random.Generator
) -> None:
    y = canvas.y[box[0]]
    # Faces: the slope of the outline, carried down along gullies that wander the farther they run.
    line = np.linspace(-1, 2, 769, dtype=np.float32)
    coarse = ridge.outline(line)
    face = np.tanh(np.gradient(coarse, line) * 1.3).astype(np.float32)
    face = 0.5 * face + 0.5 * np.convolve(face, np.ones(15) / 15, "same").astype(np.float32)
    wander = noise_plane(rng, y, x, (9, 12), 4, 0.6)
    source = x + np.clip(depth, 0, 0.3) * 0.5 * wander
    side = face[np.clip((source + 1) * 256, 0, 768).astype(np.int32)]
    crags = noise_plane(rng, y, x, (22, 30), 3, 0.6)
    rise = (horizon - y)[:, None] + 0.05 * wander + 0.03 * crags
    haze = np.clip(ridge.haze + 0.25 * (1 - np.clip((horizon - y) / 0.22, 0, 1))[:, None], 0, 0.92)
    rock = depth > 0
    canvas.fill(box, rock, MOUNTAIN, MATERIAL["mountain"], haze, side, 0.15 - 0.2 * np.abs(side), 0.14 * crags)
    if ridge.snow:
        snowy = rock & (rise - 0.06 * np.abs(side) > ridge.snow)
        canvas.fill(box, snowy, MOUNTAIN, MATERIAL["snow"], haze * 0.8, side, 0.25, 0.04 * crags)


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
    haze = 0.34 * np.exp(-near * 7) + 0.02
    soil = "sand" if plan.soil == SAND else "grass"
    swell = noise_plane(rng, y, canvas.world(0.4), (7, 2), 2)
    canvas.fill(box, land, plan.soil, MATERIAL[soil], haze, 0.5 * swell, 0.35, 0.13 * grain + 0.05 * swell)
    if plan.path:
        mask = _inside(plan.path, canvas, near, 1.0, grain) & land
        canvas.fill(box, mask, PATH, MATERIAL["path"], haze, 0, 0.35, 0.1 * grain)
    if plan.basin:
        _basin(canvas, plan, box, land, haze, grain, rng)
    if plan.river:
        bank = _inside(plan.river, canvas, near, 1.25, grain) & land
        canvas.fill(box, bank, SAND, MATERIAL["sand"], haze, 0, 0.3, 0.1 * grain)
        canvas.fill(box, _inside(plan.river, canvas, near, 1.0, grain) & land, WATER, MATERIAL["water"], haze)


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
    below = 1 - plan.horizon
    far = basin.far(canvas.world((basin.far.base - plan.horizon) / below))
    near = basin.near(canvas.world(float(np.clip((basin.near.base - plan.horizon) / below, 0, 1))))
    wet = (y > far) & (y < near)
    if basin.beach:
        wobble = noise_line(rng, canvas.world(0.5), 2.5, 1 if plan.naive else 3)
        beach = basin.beach * np.clip(1 + 0.5 * wobble, 0.2, 2)
        lit = (y > far - 0.15 * beach) & (y < near + beach * (1 + 0.04 * grain)) & (near > far - beach)
        canvas.fill(box, lit & land, SAND, MATERIAL["sand"], haze, 0, 0.3, 0.1 * grain)
    canvas.fill(box, wet & land if plan.kind != "coast" else wet, WATER, MATERIAL["water"], haze)
    if plan.kind == "coast":
        foam = wet & (y > near - 0.02 * np.clip(1 + grain, 0.2, 2) * (near - plan.horizon) / below)
        canvas.fill(box, foam, WATER, MATERIAL["foam"], haze, 0, 0.3, 0.1 * grain)
