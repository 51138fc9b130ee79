// @ts-check
/** The table of keys. docs/studio.md lists the same; a test compares them. */

import { take } from "./arrivals.js";
import { chooseFile, need, save } from "./dom.js";
import { Keyboard } from "./keyboard.js";
import { openNine, throwDice } from "./menus.js";
import { TOOLS } from "./toolbox.js";

/** @typedef {import("./desk.js").Desk} Desk */
/** @typedef {import("./keyboard.js").Shortcut} Shortcut */

/** @param {Desk} desk */
export function startKeys(desk) {
  return new Keyboard([...tools(desk), ...classes(desk), ...looks(desk), ...pictures(desk)]);
}

/** @param {Desk} desk @returns {Shortcut[]} */
function tools(desk) {
  const { toolbox, painter } = desk;
  const group = "Tools";
  return [
    ...TOOLS.map(([name, label, keys]) => ({ group, keys, does: label.split(":")[0].toLowerCase(), run: () => toolbox.use(name) })),
    { group, keys: "[", does: "smaller brush", run: () => toolbox.resize(painter.size * 0.8 - 0.5) },
    { group, keys: "]", does: "larger brush", run: () => toolbox.resize(painter.size * 1.25 + 0.5) },
    { group, keys: "Q", does: "round or square brush", run: () => toolbox.turnShape() },
    { group, keys: "M", does: "mirror", run: () => toolbox.turnMirror() },
    { group, keys: "Ctrl Z", does: "undo", run: () => painter.sheet.undo() },
    { group, keys: "Ctrl Shift Z", does: "redo", run: () => painter.sheet.redo() },
    { group, keys: "Ctrl Y", does: "redo", run: () => painter.sheet.redo() },
  ];
}

/** @param {Desk} desk @returns {Shortcut[]} */
function classes(desk) {
  const group = "What to paint";
  const palette = () => (desk.mode === "strokes" ? desk.strokes : desk.toolbox);
  return [
    ...Array.from({ length: 10 }, (_, index) => ({ group, keys: String((index + 1) % 10), does: index ? "" : "the first class or colour; 2 to 9 and 0 the next", run: () => palette().choose(index) })),
    { group, keys: ",", does: "the one before", run: () => palette().step(-1) },
    { group, keys: ".", does: "the next one", run: () => palette().step(1) },
  ];
}

/** @param {Desk} desk @returns {Shortcut[]} */
function looks({ view, result }) {
  const group = "View";
  return [
    { group, keys: "+", does: "zoom in", run: () => view.zoom(1.25) },
    { group, keys: "-", does: "zoom out", run: () => view.zoom(0.8) },
    { group, keys: "F", does: "show all", run: () => view.fit() },
    { group, keys: "S", does: "compare before and after", run: () => result.split(!result.comparing) },
    { group, keys: "C", does: "go to the map", run: () => need("map", HTMLCanvasElement).focus() },
    { group, keys: "?", does: "this sheet", run: () => need("shortcuts", HTMLDialogElement).showModal() },
  ];
}

/** @param {Desk} desk @returns {Shortcut[]} */
function pictures(desk) {
  const group = "Picture";
  const open = async () => {
    const file = await chooseFile("image/*");
    if (file) await take(desk, file);
  };
  const keep = () => desk.made && save(desk.made.picture, "picture.png");
  return [
    { group, keys: "Enter", does: "make the full size now", run: () => desk.live.full() },
    { group, keys: "Esc", does: "stop, and keep what there is", run: () => void desk.live.cancel() },
    { group, keys: "D", does: "dice: another seed", run: () => throwDice(desk) },
    { group, keys: "N", does: "dream a new map", run: () => void desk.dream({ seed: Math.floor(Math.random() * 1e6) }) },
    { group, keys: "K", does: "contact sheet of nine", run: () => void openNine(desk) },
    { group, keys: "T", does: "the chain as text", run: () => need("chain-toggle", HTMLButtonElement).click() },
    { group, keys: "Ctrl O", does: "open a file", run: () => void open() },
    { group, keys: "Ctrl S", does: "save the picture", run: keep },
  ];
}
