// @ts-check
/** Keys for everything, and the sheet that lists them: one table for both. */

import { make, need } from "./dom.js";

/** @typedef {{keys: string, does: string, group: string, run: () => void}} Shortcut  `keys` as shown: "Ctrl Z", "B", "?"; the sheet leaves out what `does` nothing to tell. */

/** Keys that belong to the map itself, listed for the sheet. */
const ON_THE_MAP = [
  ["Arrows", "move the cursor (Shift: by 16)"],
  ["Space", "press: paint, or set a corner"],
  ["Enter", "close a polygon"],
  ["Esc", "forget an unfinished shape"],
];

export class Keyboard {
  /** @param {Shortcut[]} shortcuts */
  constructor(shortcuts) {
    this.byKey = new Map(shortcuts.map((one) => [one.keys.toLowerCase(), one]));
    this.dialog = need("shortcuts", HTMLDialogElement);
    document.addEventListener("keydown", (event) => this.#press(event));
    const groups = new Map([["On the map", ON_THE_MAP]]);
    for (const { group, keys, does } of shortcuts) if (does) groups.set(group, [...(groups.get(group) ?? []), [keys, does]]);
    need("shortcut-list", HTMLElement).append(...[...groups].map(([name, rows]) => this.#table(name, rows)));
  }

  /** @param {string} name @param {string[][]} rows */
  #table(name, rows) {
    const keys = (/** @type {string} */ text) => text.split(" ").map((key) => make("kbd", {}, key));
    return make("section", {}, make("h3", {}, name), make("dl", {}, ...rows.map(([key, does]) => make("div", {}, make("dt", {}, ...keys(key)), make("dd", {}, does)))));
  }

  /** @param {KeyboardEvent} event */
  #press(event) {
    const target = /** @type {HTMLElement} */ (event.target);
    if (event.defaultPrevented || target.closest("dialog, [popover]") || event.altKey) return;
    const command = event.ctrlKey || event.metaKey;
    if (target.matches("input:not([type=range], [type=checkbox]), textarea, select") && !(command && event.key === "s")) return;
    if (event.key === "Enter" && target.matches("button, a, summary")) return;
    const name = `${command ? "ctrl " : ""}${command && event.shiftKey ? "shift " : ""}${event.key.toLowerCase()}`;
    const shortcut = this.byKey.get(name === "escape" ? "esc" : name);
    if (!shortcut) return;
    event.preventDefault();
    shortcut.run();
  }
}
