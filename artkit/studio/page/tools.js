// @ts-check
/**
 * What the tools paint, pixel by pixel. A shape is a box and a question, "is this pixel in?", so nothing here can
 * leave a half-painted edge. Positions are whole pixels.
 */

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Box} Box */
/** @typedef {{x: number, y: number}} Point */
/** @typedef {{box: Box, inside: (x: number, y: number) => boolean}} Shape */
/** @typedef {(index: number) => number} Ink  The label for the pixel at an index: one class, or what was there before. */

/** A box around points, grown by a margin on every side. @param {Point[]} points @param {number} [margin] @returns {Box} */
function around(points, margin = 0) {
  const xs = points.map((point) => point.x);
  const ys = points.map((point) => point.y);
  return {
    x0: Math.floor(Math.min(...xs) - margin),
    y0: Math.floor(Math.min(...ys) - margin),
    x1: Math.ceil(Math.max(...xs) + margin) + 1,
    y1: Math.ceil(Math.max(...ys) + margin) + 1,
  };
}

/**
 * A brush of a diameter drawn from one pixel to another: all within half the diameter of the way.
 * @param {Point} from
 * @param {Point} to
 * @param {number} size  In pixels, 1 or more.
 * @param {boolean} square
 * @returns {Shape}
 */
export function stroke(from, to, size, square) {
  const [dx, dy] = [to.x - from.x, to.y - from.y];
  const reach = size / 2;
  /** How far a pixel is from the way at a share of it. @param {number} px @param {number} py @param {number} t */
  const squareDistance = (px, py, t) => {
    const at = Math.min(1, Math.max(0, t));
    return Math.max(Math.abs(px - at * dx), Math.abs(py - at * dy));
  };
  return {
    box: around([from, to], Math.ceil(reach)),
    inside(x, y) {
      const [px, py] = [x - from.x, y - from.y];
      if (square) {
        // The distance is piecewise linear along the way: its least value is at an end or at one of four bends.
        const bends = [0, 1, px / dx, py / dy, (px - py) / (dx - dy), (px + py) / (dx + dy)];
        return bends.some((t) => Number.isFinite(t) && squareDistance(px, py, t) <= reach);
      }
      const length = dx * dx + dy * dy;
      const at = length ? Math.min(1, Math.max(0, (px * dx + py * dy) / length)) : 0;
      return (px - at * dx) ** 2 + (py - at * dy) ** 2 <= reach * reach;
    },
  };
}

/** All from one corner to the other. @param {Point} from @param {Point} to @returns {Shape} */
export function rectangle(from, to) {
  return { box: around([from, to]), inside: () => true };
}

/** The ellipse that fills the rectangle. @param {Point} from @param {Point} to @returns {Shape} */
export function ellipse(from, to) {
  const [cx, cy] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
  const [rx, ry] = [(Math.abs(to.x - from.x) + 1) / 2, (Math.abs(to.y - from.y) + 1) / 2];
  return { box: around([from, to]), inside: (x, y) => ((x - cx) / rx) ** 2 + ((y - cy) / ry) ** 2 <= 1 };
}

/** All inside a polygon by the even-odd rule, and its corners. @param {Point[]} points @returns {Shape} */
export function polygon(points) {
  return {
    box: around(points),
    inside(x, y) {
      let odd = false;
      for (let i = 0, j = points.length - 1; i < points.length; j = i++) {
        const [a, b] = [points[i], points[j]];
        if (a.x === x && a.y === y) return true;
        if (a.y > y !== b.y > y && x < ((b.x - a.x) * (y - a.y)) / (b.y - a.y) + a.x) odd = !odd;
      }
      return odd;
    },
  };
}

/**
 * Paint a shape, and its mirror image left to right if asked.
 * @param {LabelMap} map
 * @param {Shape} shape
 * @param {Ink} ink
 * @param {boolean} mirror
 */
export function paint(map, shape, ink, mirror) {
  const { box, inside } = shape;
  for (let y = Math.max(0, box.y0); y < Math.min(map.height, box.y1); y++) {
    for (let x = box.x0; x < box.x1; x++) {
      if (!inside(x, y)) continue;
      put(map, x, y, ink);
      if (mirror) put(map, map.width - 1 - x, y, ink);
    }
  }
}

/** @param {LabelMap} map @param {number} x @param {number} y @param {Ink} ink */
function put(map, x, y, ink) {
  if (x < 0 || x >= map.width) return;
  const index = y * map.width + x;
  map.data[index] = ink(index);
}

/**
 * Pour a label over the patch of one class around a pixel, through the four sides of each pixel.
 * @param {LabelMap} map
 * @param {Point} at
 * @param {Ink} ink
 */
export function pour(map, at, ink) {
  const { width, height, data } = map;
  const old = map.at(at.x, at.y);
  const seen = new Uint8Array(data.length);
  const open = [at.y * width + at.x];
  seen[open[0]] = 1;
  while (open.length) {
    const index = /** @type {number} */ (open.pop());
    const x = index % width;
    const beside = [x > 0 ? index - 1 : -1, x < width - 1 ? index + 1 : -1, index - width, index + width];
    for (const next of beside) {
      if (next < 0 || next >= width * height || seen[next] || data[next] !== old) continue;
      seen[next] = 1;
      open.push(next);
    }
    data[index] = ink(index);
  }
}
