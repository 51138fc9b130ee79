// @ts-check
/** Strokes of colour on a layer that is clear elsewhere: a pixel's label is its colour, and 0 is none. */

import { LabelMap } from "./labels.js";
import { Sheet } from "./sheet.js";
import { encodeColours } from "./png.js";

/** @typedef {import("./labels.js").Colour} Colour */
/** @typedef {import("./tools.js").Point} Point */
/** @typedef {import("./view.js").Size} Size */
/** @typedef {import("./view.js").Bitmap} Bitmap */

const LONGEST = 1024; // of a layer: what becomes of strokes is found in a much smaller picture

/** A colour as a pixel of ImageData in one number. @param {Colour} colour */
export function pack([red, green, blue]) {
  return ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
}

/** @param {number} label @returns {Colour} */
export function unpack(label) {
  return [label & 255, (label >> 8) & 255, (label >> 16) & 255];
}

/** A colour so much on the way to white, or to black where that is negative. @param {number} label @param {number} shift */
function shifted(label, shift) {
  const target = shift > 0 ? 255 : 0;
  return pack(/** @type {Colour} */ (unpack(label).map((level) => Math.round(level + (target - level) * Math.abs(shift)))));
}

export class Layer extends Sheet {
  /** How much lighter or darker a stroke is than what lies where it begins; 0: it has the colour that is chosen. */
  shift = 0;
  /** @type {ImageData | null} The picture below, in the layer's size. */
  #below = null;

  constructor() {
    super();
    this.begin(this.#clear({ width: 1, height: 1 }));
  }

  /** Whether nothing is painted. */
  get empty() {
    return !this.map.data.some(Boolean);
  }

  /** A layer for a picture of a size, with nothing on it and nothing before it. @param {Size} size */
  fit({ width, height }) {
    const scale = Math.min(1, LONGEST / Math.max(width, height));
    this.begin(this.#clear({ width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) }));
  }

  /** Take all strokes away, as one step. */
  clear() {
    this.load(this.#clear(this.map));
  }

  /** Begin with strokes that were painted before. @param {LabelMap} map */
  revive(map) {
    this.begin(map, this.#clear(map));
  }

  /** Begin with strokes from a picture that is clear elsewhere. @param {Bitmap} picture */
  open(picture) {
    const labels = new Uint32Array(this.#read(picture, false).data.buffer);
    this.revive(new LabelMap(this.map.width, this.map.height, labels.map((label) => (label >>> 24 < 128 ? 0 : (label | 0xff000000) >>> 0))));
  }

  /** What lies below: the eyedropper sees it. @param {Bitmap | null} picture */
  lay(picture) {
    this.#below = picture && this.#read(picture, true);
  }

  /** The strokes as a PNG. */
  encode() {
    return encodeColours(this.map);
  }

  /** @override @param {ImageData} picture */
  paint(picture) {
    new Uint32Array(picture.data.buffer).set(this.map.data);
  }

  /** The colour at a pixel, or at the nearest one: of the strokes, or of what lies below. @override @param {Point} at */
  seen({ x, y }) {
    const { width, height, data } = this.map;
    const index = Math.min(height - 1, Math.max(0, y)) * width + Math.min(width - 1, Math.max(0, x));
    const [red, green, blue] = this.#below?.data.subarray(index * 4, index * 4 + 3) ?? [128, 128, 128];
    return data[index] || pack([red, green, blue]);
  }

  /** @override @param {number} label @param {Point} at */
  mixed(label, at) {
    return this.shift ? shifted(this.seen(at), this.shift) : label;
  }

  /** The pixels of a picture, in the layer's size. @param {Bitmap} picture @param {boolean} smooth */
  #read(picture, smooth) {
    const { width, height } = this.map;
    const context = /** @type {OffscreenCanvasRenderingContext2D} */ (new OffscreenCanvas(width, height).getContext("2d"));
    context.imageSmoothingEnabled = smooth;
    context.drawImage(picture, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }

  /** @param {Size} size */
  #clear({ width, height }) {
    return new LabelMap(width, height, new Uint32Array(width * height));
  }
}
