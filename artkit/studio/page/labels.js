// @ts-check
/** The integer label map: one class index a pixel, never anything between two classes. */

/** @typedef {{x0: number, y0: number, x1: number, y1: number}} Box  From (x0, y0) up to, without, (x1, y1). */
/** @typedef {[number, number, number]} Colour  Red, green, blue, 0 to 255. */
/** @typedef {Uint8Array<ArrayBuffer> | Uint32Array<ArrayBuffer>} Labels  Class indices, or colours (layer.js). */

/** A map of `width` × `height` labels, row by row: class indices, unless other ones are given. */
export class LabelMap {
  /**
   * @param {number} width
   * @param {number} height
   * @param {Labels} [data]
   */
  constructor(width, height, data = new Uint8Array(width * height)) {
    if (data.length !== width * height) throw new Error(`${data.length} labels for ${width} × ${height} pixels`);
    this.width = width;
    this.height = height;
    this.data = data;
  }

  /** @param {number} x @param {number} y */
  at(x, y) {
    return this.data[y * this.width + x];
  }

  /** @param {number} x @param {number} y */
  contains(x, y) {
    return x >= 0 && y >= 0 && x < this.width && y < this.height;
  }

  clone() {
    return new LabelMap(this.width, this.height, this.data.slice());
  }

  /** @returns {Box} */
  get box() {
    return { x0: 0, y0: 0, x1: this.width, y1: this.height };
  }

  /** @param {LabelMap} other */
  sameSize(other) {
    return this.width === other.width && this.height === other.height;
  }

  /** The labels within a box, row by row. @param {Box} box */
  cut(box) {
    const part = this.data.slice(0, (box.x1 - box.x0) * (box.y1 - box.y0)); // of the same type, filled anew
    for (let y = box.y0, to = 0; y < box.y1; y++, to += box.x1 - box.x0) {
      part.set(this.data.subarray(y * this.width + box.x0, y * this.width + box.x1), to);
    }
    return part;
  }

  /** Put back what `cut` gave. @param {Box} box @param {Labels} part */
  paste(box, part) {
    const width = box.x1 - box.x0;
    for (let y = box.y0, from = 0; y < box.y1; y++, from += width) {
      this.data.set(part.subarray(from, from + width), y * this.width + box.x0);
    }
  }

  /** The same map in another size, by nearest neighbour. @param {number} width @param {number} height */
  resized(width, height) {
    const out = new LabelMap(width, height);
    for (let y = 0; y < height; y++) {
      const row = Math.floor(((y + 0.5) * this.height) / height) * this.width;
      for (let x = 0; x < width; x++) out.data[y * width + x] = this.data[row + Math.floor(((x + 0.5) * this.width) / width)];
    }
    return out;
  }
}

/**
 * The smallest box outside of which two maps of one size are alike; null where they are alike everywhere.
 * @param {LabelMap} one
 * @param {LabelMap} two
 * @returns {Box | null}
 */
export function changedBox(one, two) {
  let [x0, y0, x1, y1] = [one.width, one.height, 0, 0];
  for (let y = 0, i = 0; y < one.height; y++) {
    for (let x = 0; x < one.width; x++, i++) {
      if (one.data[i] === two.data[i]) continue;
      if (x < x0) x0 = x;
      if (x >= x1) x1 = x + 1;
      if (y < y0) y0 = y;
      y1 = y + 1;
    }
  }
  return y1 ? { x0, y0, x1, y1 } : null;
}

/**
 * Read a picture in the exact colours of a class set; `share` is how much of it was (1: it is a label map).
 * @param {ImageData} picture
 * @param {Colour[]} colours
 */
export function readColours(picture, colours) {
  const index = new Map(colours.map(([red, green, blue], label) => [(red << 16) | (green << 8) | blue, label]));
  const map = new LabelMap(picture.width, picture.height);
  let known = 0;
  for (let i = 0, at = 0; i < map.data.length; i++, at += 4) {
    const label = index.get((picture.data[at] << 16) | (picture.data[at + 1] << 8) | picture.data[at + 2]);
    if (label !== undefined) known++;
    map.data[i] = label ?? 0;
  }
  return { map, share: known / map.data.length };
}

/**
 * Colour a box of a map into a picture of the map's size.
 * @param {LabelMap} map
 * @param {Colour[]} colours
 * @param {ImageData} picture
 * @param {Box} box
 */
export function paintColours(map, colours, picture, box) {
  for (let y = box.y0; y < box.y1; y++) {
    for (let x = box.x0, i = y * map.width + x; x < box.x1; x++, i++) {
      const colour = colours[map.data[i]] ?? [0, 0, 0];
      picture.data.set(colour, i * 4);
      picture.data[i * 4 + 3] = 255;
    }
  }
}
