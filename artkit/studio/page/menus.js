// @ts-check
/** The buttons of index.html: what each does on the desk. */

import * as api from "./api.js";
import { take } from "./arrivals.js";
import { chooseFile, make, need, openMenu, tell } from "./dom.js";
import { downloads } from "./gallery.js";
import { listen } from "./intake.js";
import { LabelMap } from "./labels.js";
import { ContactSheet, combinations } from "./nine.js";
import { orderNow } from "./orders.js";
import { named } from "./recall.js";

/** @typedef {import("./desk.js").Desk} Desk */

const SIZES = ["512 × 384", "768 × 512", "512 × 512", "1024 × 768", "384 × 512"];

/** @param {Desk} desk */
export function startMenus(desk) {
  const open = listen((file) => take(desk, file));
  const click = (/** @type {string} */ id, /** @type {(button: HTMLButtonElement) => void} */ act) => {
    const button = need(id, HTMLButtonElement);
    button.addEventListener("click", () => act(button));
  };
  click("new-map", (button) => openMenu(button, desk.mode === "map" ? mapMenu(desk) : desk.mode === "photo" ? photoMenu(desk) : strokesMenu(desk)));
  click("open", async () => open(await chooseFile("image/*")));
  click("photo-open", async () => open(await chooseFile("image/*")));
  click("undo", () => desk.painter.sheet.undo());
  click("redo", () => desk.painter.sheet.redo());
  click("zoom-in", () => desk.view.zoom(1.25));
  click("zoom-out", () => desk.view.zoom(0.8));
  click("zoom-fit", () => desk.view.fit());
  click("dice", () => throwDice(desk));
  click("cancel", () => desk.live.cancel());
  click("download", (button) => download(desk, button));
  click("tracing-off", () => desk.trace(null));
  click("help", () => need("shortcuts", HTMLDialogElement).showModal());
  click("open-nine", () => openNine(desk));
  need("seed", HTMLInputElement).addEventListener("change", (event) => desk.setSeed(Number(/** @type {HTMLInputElement} */ (event.target).value)));
  need("full-size", HTMLSelectElement).addEventListener("change", () => desk.live.full());
  const alpha = need("tracing-alpha", HTMLInputElement);
  alpha.addEventListener("input", () => {
    desk.easel.tracingAlpha = Number(alpha.value) / 100;
    desk.easel.surface.refresh();
  });
  const steps = () => {
    const { past, future } = desk.painter.sheet.history;
    need("undo", HTMLButtonElement).disabled = past.length === 0;
    need("redo", HTMLButtonElement).disabled = future.length === 0;
  };
  for (const sheet of [desk.sheet, desk.strokes.layer]) for (const event of ["paint", "change", "swap"]) sheet.addEventListener(event, steps);
  desk.painter.addEventListener("sheet", steps);
  steps();
  need("map", HTMLCanvasElement).addEventListener("cursor", (event) => say(desk, /** @type {CustomEvent} */ (event).detail));
  need("photo-examples", HTMLElement).append(...photoMenu(desk).map(({ label, url, run }) => make("button", { type: "button", "aria-label": label, title: label, onclick: run }, make("img", { src: url, alt: "" }))));
}

/** Read aloud where the keyboard's cursor stands. @param {Desk} desk @param {{x: number, y: number}} at */
function say(desk, { x, y }) {
  const name = desk.mode === "strokes" ? desk.strokes.name(x, y) : desk.toolbox.classes[desk.sheet.map.at(x, y)]?.name;
  need("cursor", HTMLElement).textContent = `${name ?? ""}, ${x}, ${y}`;
}

/** Another seed. @param {Desk} desk */
export function throwDice(desk) {
  desk.setSeed(randomSeed());
}

function randomSeed() {
  return Math.floor(Math.random() * 1_000_000);
}

/** A map to begin with. @param {Desk} desk @returns {import("./dom.js").MenuItem[]} */
function mapMenu(desk) {
  const examples = desk.examples.filter((one) => one.kind === "labels");
  const example = async (/** @type {api.Example} */ one) => take(desk, new File([await api.picture(one.url)], one.name, { type: "image/png" }));
  const trace = async () => desk.trace(await chooseFile("image/*"));
  return [
    { label: "Dream a map", detail: "semgan imagines one", icon: "spark", run: () => desk.dream({ seed: randomSeed() }) },
    { label: "From the atelier", detail: "a landscape drawn by rules", icon: "dice", run: () => desk.dream({ from: "atelier", seed: randomSeed() }) },
    ...examples.map((one) => ({ label: one.name, detail: one.summary, icon: "photo", run: () => void example(one) })),
    { label: "Lay a photo under your hand", detail: "faintly over the map, to trace", icon: "trace", run: trace },
    { heading: "All in the chosen class" },
    ...SIZES.map((size) => ({ label: size, icon: "square", run: () => blank(desk, size) })),
  ];
}

/** @param {Desk} desk @param {string} size */
function blank(desk, size) {
  const [width, height] = size.split(" × ").map(Number);
  desk.sheet.load(new LabelMap(width, height, new Uint8Array(width * height).fill(desk.painter.label)));
}

/** @param {Desk} desk */
function photoMenu(desk) {
  return desk.examples
    .filter((one) => one.kind === "image")
    .map((one) => ({ label: one.name, detail: one.summary, icon: "photo", url: one.url, run: async () => desk.usePhoto(named(await api.picture(one.url), one.name)) }));
}

/** What strokes may be painted over. @param {Desk} desk */
function strokesMenu(desk) {
  return [{ label: "A dream", detail: "a picture that nobody took: throw the dice for others", icon: "spark", run: () => desk.useDream() }, ...photoMenu(desk)];
}

/** @param {Desk} desk @param {HTMLElement} button */
function download(desk, button) {
  if (desk.made) openMenu(button, downloads(desk.made));
  else tell("There is no picture yet.");
}

const nine = new ContactSheet();

/** A contact sheet: of dreams where there is a map, of light where the model knows some, of seeds. @param {Desk} desk */
export async function openNine(desk) {
  const order = await orderNow(desk);
  if (!order) return tell("Nine pictures need what one needs: an input for the chain.");
  const first = randomSeed();
  const seeds = Array.from({ length: 9 }, (_, i) => first + i);
  const bySeed = () => seeds.map((seed) => ({ label: `seed ${seed}`, order: async () => ({ ...order, seed }), choose: () => desk.setSeed(seed) }));
  const byDream = () => seeds.map((seed) => dreamt(desk, order, seed));
  const byLight = () => combinations(desk.chain.info?.conditions ?? {}).map((words) => lit(desk, order, words));
  nine.open([
    ...(Object.keys(desk.chain.info?.conditions ?? {}).length ? [{ name: "light", about: "the words that the model knows", variants: byLight }] : []),
    ...(desk.mode === "map" ? [{ name: "dreams", about: "maps that nobody drew", variants: byDream }] : []),
    { name: "seeds", about: "the same in nine ways, where the chain has chance in it", variants: bySeed },
  ]);
}

/** @param {Desk} desk @param {api.Order} order @param {number} seed @returns {import("./nine.js").Variant} */
function dreamt(desk, order, seed) {
  const { width, height } = desk.sheet.map;
  /** @type {Promise<Blob> | null} */
  let map = null;
  const get = () => (map ??= api.dream({ seed, size: `${width}x${height}` }));
  return { label: `dream ${seed}`, order: async () => ({ ...order, input: await get() }), choose: async () => desk.lay(await get()) };
}

/** @param {Desk} desk @param {api.Order} order @param {Record<string, string>} words @returns {import("./nine.js").Variant} */
function lit(desk, order, words) {
  const steps = desk.style.worded(words);
  const chain = async () => (await api.chain({ steps })).text;
  return { label: Object.values(words).join(", "), order: async () => ({ ...order, chain: await chain() }), choose: () => desk.chain.set({ steps }) };
}
