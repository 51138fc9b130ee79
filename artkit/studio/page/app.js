// @ts-check
/** The studio: its parts put together. */

import * as api from "./api.js";
import { ChainBar, ChainState, starts } from "./chain.js";
import { Desk } from "./desk.js";
import { need, openMenu, tell } from "./dom.js";
import { icon } from "./icons.js";
import { startKeys } from "./keys.js";
import { startMenus } from "./menus.js";
import { OptionsPanel } from "./options.js";
import { presence } from "./presence.js";
import { startTheme } from "./theme.js";

/** The icons of the buttons that index.html holds. */
const ICONS = {
  "chain-toggle": "text", dice: "dice", help: "help", mirror: "mirror", undo: "undo", redo: "redo", open: "open",
  "zoom-in": "plus", "zoom-out": "minus", "zoom-fit": "fit", "tracing-off": "close", "split-toggle": "compare", "open-nine": "sheet",
};

/** What is made when nothing was made before: the best painter of landscapes that is there. @param {ChainState} chain */
function usualChain(chain) {
  return ["spade", "pix2pix"].find((name) => chain.methods.get(name)?.default_model) ?? [...chain.methods.keys()][0] ?? "";
}

async function start() {
  for (const [id, name] of Object.entries(ICONS)) need(id, HTMLButtonElement).prepend(icon(name));
  for (const button of document.querySelectorAll(".close")) button.append(icon("close"));
  startTheme();
  const [methods, models, examples] = await Promise.all([api.methods(), api.models(), api.examples()]);
  const chain = new ChainState(methods, models);
  const desk = new Desk(chain, examples);
  new ChainBar(chain);
  new OptionsPanel(chain);
  startMenus(desk);
  startKeys(desk);
  presence.addEventListener("back", () => {
    tell("The studio is back.");
    desk.live.resume();
  });
  const begin = need("start", HTMLButtonElement);
  begin.addEventListener("click", () => openMenu(begin, starts(chain)));
  const asked = new URLSearchParams(location.search).get("chain");
  await desk.begin(asked, usualChain(chain));
  document.documentElement.dataset.ready = "true";
  return desk;
}

/** The desk, once everything is there; other modules of the page do not need it. */
export const studio = start();
studio.catch((problem) => tell(problem.message, "error"));
