// @ts-check
/** A hundred steps back and forth, each kept as the part of the map that it changed. */

import { changedBox } from "./labels.js";

/** @typedef {import("./labels.js").LabelMap} LabelMap */
/** @typedef {import("./labels.js").Labels} Labels */
/** @typedef {{map: LabelMap, base: LabelMap}} Sheet  The map, and what the eraser brings back. */
/** @typedef {{box: import("./labels.js").Box, before: Labels, after: Labels}} Patch */
/** @typedef {{before: Sheet, after: Sheet}} Swap  A map in another one's place. */

export const LIMIT = 100;

export class History {
  constructor() {
    /** @type {(Patch | Swap)[]} */
    this.past = [];
    /** @type {(Patch | Swap)[]} */
    this.future = [];
  }

  /**
   * Remember a stroke; false if it changed nothing.
   * @param {LabelMap} before
   * @param {LabelMap} after
   */
  stroke(before, after) {
    const box = changedBox(before, after);
    if (!box) return false;
    this.#add({ box, before: before.cut(box), after: after.cut(box) });
    return true;
  }

  /** Remember that one map took another's place. @param {Sheet} before @param {Sheet} after */
  swap(before, after) {
    this.#add({
      before: { map: before.map.clone(), base: before.base },
      after: { map: after.map.clone(), base: after.base },
    });
  }

  /** @param {Sheet} sheet @returns {Sheet | null} The sheet one step back, null at the beginning. */
  undo(sheet) {
    return this.#move(this.past, this.future, "before", sheet);
  }

  /** @param {Sheet} sheet @returns {Sheet | null} The sheet one step on, null at the end. */
  redo(sheet) {
    return this.#move(this.future, this.past, "after", sheet);
  }

  /** @param {Patch | Swap} entry */
  #add(entry) {
    this.past.push(entry);
    if (this.past.length > LIMIT) this.past.shift();
    this.future = [];
  }

  /**
   * @param {(Patch | Swap)[]} from
   * @param {(Patch | Swap)[]} to
   * @param {"before" | "after"} side
   * @param {Sheet} sheet
   */
  #move(from, to, side, sheet) {
    const entry = from.pop();
    if (!entry) return null;
    to.push(entry);
    if ("box" in entry) {
      sheet.map.paste(entry.box, entry[side]);
      return sheet;
    }
    return { map: entry[side].map.clone(), base: entry[side].base };
  }
}
