// @ts-check
/** The picture, live: a small preview after each change, the full size once the hand rests; what is stale is dropped. */

import * as api from "./api.js";
import { Away, Lost } from "./presence.js";

/** @typedef {import("./api.js").Order} Order */
/** @typedef {{picture: Blob, job: import("./api.js").Job, order: Order, full: boolean}} Made */
/** @typedef {{text: string, share: number | null, busy: boolean, error?: boolean}} Status */

const PREVIEW = 256;
const SETTLE = 120; // milliseconds from the last change to the preview
const REST = 700; // from the preview to the full size
const PATIENCE = 20; // seconds that a preview may take for the full size to follow by itself

/** Fires "made" ({detail: Made}), "sketch" ({detail: Blob}) and "status" ({detail: Status}). */
export class Live extends EventTarget {
  #turn = 0;
  #timer = 0;
  /** The turn whose preview is being made, or soon will be; 0 where none is. */
  #looking = 0;
  /** @type {string | null} The job that runs. */
  #job = null;
  /** @type {AbortController} */
  #sending = new AbortController();
  /** @type {(() => Promise<void>) | null} What could not be made, because the studio was away. */
  #undone = null;

  /** @param {() => Promise<Order | null>} order  What is to be made now; null while something is missing. */
  constructor(order) {
    super();
    this.order = order;
  }

  /** Something changed: what is being made is stale. */
  touch() {
    this.#look(true);
  }

  /** The hand moves: a preview that is being made goes on; where none is, one begins, of what is there then. */
  stir() {
    if (!this.#looking) this.#look(false);
  }

  /** @param {boolean} whole  Whether the full size follows. */
  #look(whole) {
    const turn = (this.#looking = this.#begin());
    const done = () => void (this.#looking === turn && (this.#looking = 0));
    this.#later(SETTLE, () => this.#preview(turn, whole).finally(done));
  }

  /** Make the full size now. */
  full() {
    const turn = this.#begin();
    this.#later(0, () => this.#full(turn));
  }

  /** The studio is back: go on with what it was not there for. */
  resume() {
    if (this.#undone) this.#later(0, this.#undone);
  }

  /** Stop, and keep what there is. */
  async cancel() {
    clearTimeout(this.#timer);
    const job = this.#job;
    if (job) await api.cancel(job).catch(() => {});
    else {
      this.#begin();
      this.#say({ text: "Stopped", share: null, busy: false });
    }
  }

  /** What is shown is right as it is: make nothing. @param {string} text */
  rest(text) {
    const job = this.#job;
    this.#begin();
    if (job) api.cancel(job).catch(() => {});
    this.#say({ text, share: null, busy: false });
  }

  #begin() {
    clearTimeout(this.#timer);
    this.#sending.abort();
    this.#sending = new AbortController();
    this.#job = this.#undone = null;
    this.#looking = 0;
    return ++this.#turn;
  }

  /** @param {number} wait @param {() => Promise<void>} act */
  #later(wait, act) {
    const turn = this.#turn;
    clearTimeout(this.#timer);
    this.#undone = null;
    this.#timer = window.setTimeout(() => act().catch((problem) => turn === this.#turn && this.#fail(problem, act)), wait);
  }

  /** @param {number} turn @param {boolean} whole */
  async #preview(turn, whole) {
    const order = await this.#wanted(turn);
    if (!order) return;
    const { size, longest, ...rest } = order;
    const small = order.input === null || (longest !== undefined && longest <= PREVIEW); // a dream is made at once
    const began = performance.now();
    const made = await this.#make(turn, small ? order : { ...rest, longest: PREVIEW }, small && whole);
    if (!made || small || !whole || turn !== this.#turn) return;
    const seconds = (performance.now() - began) / 1000;
    if (seconds < PATIENCE) this.#later(REST, () => this.#full(turn));
    else this.#say({ text: `Preview in ${seconds.toFixed(0)} s. Press Enter for the full size`, share: null, busy: false });
  }

  /** @param {number} turn */
  async #full(turn) {
    const order = await this.#wanted(turn);
    if (order) await this.#make(turn, order, true);
  }

  /** @param {number} turn */
  async #wanted(turn) {
    const order = await this.order();
    return turn === this.#turn ? order : null;
  }

  /**
   * @param {number} turn
   * @param {Order} order
   * @param {boolean} full
   * @returns {Promise<boolean>} Whether a picture was made, whole.
   */
  async #make(turn, order, full) {
    const what = full ? "Full size" : "Preview";
    this.#say({ text: `${what} …`, share: 0, busy: true });
    const job = await api.run({ ...order, supersedes: "preview" }, this.#sending.signal);
    if (turn !== this.#turn) return false;
    this.#job = job;
    const { job: ended, picture } = await api.follow(job, {
      progress: ({ share, step }) => turn === this.#turn && this.#say({ text: step ? `${what}: ${step}` : `${what} …`, share, busy: true }),
      sketch: (sketch) => turn === this.#turn && this.dispatchEvent(new CustomEvent("sketch", { detail: sketch })),
    });
    if (turn !== this.#turn) return false;
    this.#job = null;
    if (picture) this.dispatchEvent(new CustomEvent("made", { detail: { picture, job: ended, order, full } }));
    const whole = ended.state === "done";
    const took = ended.seconds === null ? "" : ` in ${ended.seconds.toFixed(1)} s`;
    const early = picture ? "Stopped; this is as far as it came" : "Stopped before there was anything to show";
    this.#say({ text: whole ? `${what}${took}` : early, share: null, busy: false });
    return whole && picture !== null;
  }

  /** @param {Error} problem @param {() => Promise<void>} act  What failed. */
  #fail(problem, act) {
    if (problem.name === "AbortError") return;
    this.#job = null;
    if (problem instanceof Lost) return this.#later(0, act);
    if (problem instanceof Away) this.#undone = act;
    this.#say({ text: problem.message, share: null, busy: false, error: true });
  }

  /** @param {Status} status */
  #say(status) {
    this.dispatchEvent(new CustomEvent("status", { detail: status }));
  }
}
