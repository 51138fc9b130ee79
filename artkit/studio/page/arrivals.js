// @ts-check
/** What a file that comes in becomes on the desk: a picture made here, a label map, a photo, a tracing layer or a style. */

import * as api from "./api.js";
import { tell } from "./dom.js";
import { askWhatFor, fromDataUrl, readMap, remembered } from "./intake.js";
import { named } from "./recall.js";
import { EDIT } from "./strokes.js";

/** @typedef {import("./desk.js").Desk} Desk */

/** Take a file in: a picture made here, a map, a photo or a style. @param {Desk} desk @param {File} file */
export async function take(desk, file) {
  const port = await desk.recall.portOf(file);
  if (port) return comeBack(desk, file, port);
  const memory = await remembered(file);
  if (memory) return restore(desk, memory, file);
  if (desk.mode !== "map") return desk.usePhoto(file);
  const map = await readMap(file, desk.sheet.colours);
  if (map) return desk.sheet.load(map);
  await createImageBitmap(file); // a damaged file is refused before anything is asked
  ask(desk, file);
}

/** @param {Desk} desk @param {File} file */
function ask(desk, file) {
  const { methods } = desk.chain;
  const readers = methods.get("semgan")?.default_model ? [{ label: "Read it as a map", detail: "semgan finds the classes, pixel by pixel", run: () => read(desk, file, "semgan") }] : [];
  if (readers.length && methods.has("rectify"))
    readers.push({ label: "Read it as a photo of a map", detail: "the sheet is found and set straight, then read", run: () => read(desk, file, "rectify,semgan") });
  const photo = async () => {
    await desk.usePhoto(file, false);
    const monet = desk.chain.models.find((model) => model.method === "cyclegan");
    await desk.rechain(monet ? `cyclegan(model=${monet.name})` : "nst");
  };
  askWhatFor([
    { label: "Trace it", detail: "it lies faintly over the map while you paint", run: () => desk.trace(file) },
    ...readers,
    { label: "Paint in its style", detail: "it becomes a swatch, kept in this browser", run: () => desk.style.take(file) },
    { label: "Turn the photo itself into a painting", detail: "with a chain for photos", run: photo },
  ]);
}

/** Read a picture as a label map. @param {Desk} desk @param {Blob} picture @param {string} chain */
async function read(desk, picture, chain) {
  tell("Reading the map …");
  try {
    const { picture: answer } = await api.follow(await api.run({ chain, seed: 0, input: picture, ports: {}, longest: 1024 }));
    const map = answer && (await readMap(answer, desk.sheet.colours));
    if (map) desk.sheet.load(map);
    else tell("This chain's classes are others than the ones that semgan reads.", "error");
  } catch (problem) {
    tell(/** @type {Error} */ (problem).message, "error");
  }
}

/** A picture that the one which is shown was made of. @param {Desk} desk @param {File} file @param {string} port */
async function comeBack(desk, file, port) {
  desk.recall.settle(port);
  await desk.quietly(async () => {
    if (port === EDIT && desk.mode === "strokes") await desk.strokes.open(file);
    else if (port !== "input") await desk.style.take(file, port);
    else if (desk.mode === "map") await desk.lay(file);
    else await slipBelow(desk, file);
  });
  const lost = desk.recall.names;
  tell(lost.length ? `Now drop ${lost.join(" and ")}.` : "All is as it was made.");
}

/** The photo comes back below the strokes that are there. @param {Desk} desk @param {File} photo */
async function slipBelow(desk, photo) {
  const { layer } = desk.strokes;
  const strokes = desk.mode === "strokes" && !layer.empty ? await layer.encode() : null;
  await desk.usePhoto(photo, false);
  if (strokes) await desk.strokes.open(strokes);
}

/** Every picture that this browser keeps, and the examples: what a result may have been made of. @param {Desk} desk */
async function* atHand(desk) {
  yield* desk.photo ? [desk.photo] : [];
  yield* desk.style.all;
  for (const { input, ports } of desk.gallery.cards) yield* [...(input ? [input] : []), ...Object.values(ports)];
  for (const one of desk.examples) yield named(await api.picture(one.url), one.name);
}

/** Go on from a picture that was made before. @param {Desk} desk @param {api.Restored} memory @param {File} picture */
async function restore(desk, memory, picture) {
  const { input, ...others } = memory.inputs;
  const carried = input?.map ? fromDataUrl(input.map) : null;
  const { input: known = null, ...ports } = await desk.recall.find(carried || !input ? others : memory.inputs, () => atHand(desk));
  const mode = carried ? "map" : EDIT in memory.inputs ? "strokes" : input ? "photo" : "dream";
  const right = await desk.reopen({ ...memory, name: picture.name.replace(/\.\w+$/, ""), picture, mode, input: carried ?? known, ports });
  const lost = desk.recall.names;
  if (right) tell(lost.length ? `Restored, but for ${lost.join(" and ")}: drop it here to go on.` : `Restored: ${memory.chain}, seed ${memory.seed}`);
}
