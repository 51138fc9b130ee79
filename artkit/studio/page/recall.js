// @ts-check
/** The pictures that a result was made of: found in this browser by what they hold, or wanted by their names. */

/** @typedef {import("./api.js").Origin} Origin */

/** SHA-256 of a picture's bytes; null where the browser tells none (another machine's address, without encryption). @param {Blob} blob */
async function digest(blob) {
  if (!crypto.subtle) return null;
  const bytes = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Whether a picture is the one that is wanted: by its bytes, or by its name where they cannot be told. @param {Blob} blob @param {Origin} origin */
async function matches(blob, origin) {
  const found = origin.sha256 && (await digest(blob));
  return found ? found === origin.sha256 : blob instanceof File && blob.name === origin.name;
}

/** A blob as a file, which keeps its name. @param {Blob} blob @param {string} name */
export function named(blob, name) {
  return blob instanceof File ? blob : new File([blob], name, { type: blob.type });
}

export class Recall {
  /** @type {Record<string, Origin>} What the picture that is shown was made of and is not here, by port. */
  wanted = {};

  /**
   * Find the pictures that a result was made of among those at hand; what is not there is wanted from now on.
   * @param {Record<string, Origin>} origins
   * @param {() => AsyncIterable<Blob>} atHand
   */
  async find(origins, atHand) {
    /** @type {Record<string, Blob>} */
    const found = {};
    const lost = { ...origins };
    for await (const blob of Object.keys(lost).length ? atHand() : []) {
      for (const [port, origin] of Object.entries(lost)) {
        if (!origin.sha256 || !(await matches(blob, origin))) continue;
        found[port] = named(blob, origin.name ?? port);
        delete lost[port];
      }
      if (!Object.keys(lost).length) break;
    }
    this.wanted = lost;
    return found;
  }

  /** The port that wants just this picture. @param {Blob} blob */
  async portOf(blob) {
    for (const [port, origin] of Object.entries(this.wanted)) if (await matches(blob, origin)) return port;
    return null;
  }

  /** What is wanted for a port, in words; null where nothing is. @param {string} port */
  name(port) {
    const origin = this.wanted[port];
    return origin && (origin.name ?? "the picture that it was made of");
  }

  /** All that is wanted, in words. */
  get names() {
    return Object.keys(this.wanted).map((port) => this.name(port));
  }

  /** A port is fed, or is to stay without. @param {string} port */
  settle(port) {
    const { [port]: _, ...others } = this.wanted;
    this.wanted = others;
  }
}
