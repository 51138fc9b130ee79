// @ts-check
/** What is to be made of what lies on the desk, as an order to the studio. */

import { encodeMap } from "./png.js";
import { chosenSize } from "./sizes.js";
import { EDIT } from "./strokes.js";

/** @typedef {import("./api.js").Order} Order */
/** @typedef {import("./desk.js").Desk} Desk */

/** What is to be made now; null while something is missing, which is said. @param {Desk} desk @returns {Promise<Order | null>} */
export async function orderNow(desk) {
  const { mode, photo, sheet, strokes } = desk;
  if (!desk.chain.info || desk.style.missing || desk.words.missing || (mode === "photo" && !photo)) return wait(desk, whatIsMissing(desk));
  if (mode === "map") return { ...order(desk, "map", sheet.map), input: await encodeMap(sheet.map, sheet.colours), labels: true };
  if (mode !== "strokes") return order(desk, mode, sheet.map);
  if (strokes.layer.empty) {
    desk.result.clear();
    return wait(desk, "Paint over it: it becomes real here");
  }
  const plain = order(desk, photo ? "photo" : "dream", strokes.layer.map);
  return { ...plain, ports: { ...plain.ports, [EDIT]: await strokes.layer.encode() } };
}

/** @param {Desk} desk @param {import("./desk.js").Mode} mode @param {import("./view.js").Size} map @returns {Order} */
function order({ chain, seed, photo, style }, mode, map) {
  return { chain: chain.text, seed, input: mode === "photo" ? photo : null, ports: style.ports, ...chosenSize(mode, map) };
}

/** @param {Desk} desk @param {string} text */
function wait(desk, text) {
  desk.result.status({ text, share: null, busy: false });
  return null;
}

/** @param {Desk} desk */
function whatIsMissing({ recall, style: { missing }, words }) {
  if (missing) return `The chain wants ${recall.name(missing) ?? "a picture"} for ${missing}: drop it in Style`;
  return words.missing ? `The chain wants words for ${words.missing}: type them below` : "";
}
