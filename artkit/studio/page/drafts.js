// @ts-check
/** What is in work, kept in this browser, so that a reload or a studio that was started again loses nothing. */

import { LabelMap } from "./labels.js";
import { get, put } from "./storage.js";

/** @typedef {{chain: string, seed: number, map: LabelMap | null, base: LabelMap, strokes: LabelMap | null, photo: File | null, ports: Record<string, Blob>}} Draft */

const WAIT = 400; // milliseconds without a change

export class Drafts {
  #timer = 0;

  /** Keep a draft, once the hand rests. @param {Draft} draft */
  keep(draft) {
    clearTimeout(this.#timer);
    this.#timer = window.setTimeout(() => put("drafts", "last", { ...draft, map: draft.map && plain(draft.map), base: plain(draft.base), strokes: draft.strokes && plain(draft.strokes) }), WAIT);
  }

  /** @returns {Promise<Draft | null>} */
  async last() {
    const kept = await get("drafts", "last");
    if (!kept) return null;
    return { ...kept, map: kept.map && revive(kept.map), base: revive(kept.base), strokes: kept.strokes ? revive(kept.strokes) : null };
  }
}

/** @param {LabelMap} map */
function plain({ width, height, data }) {
  return { width, height, data };
}

/** @param {{width: number, height: number, data: import("./labels.js").Labels}} kept */
function revive({ width, height, data }) {
  return new LabelMap(width, height, data);
}
