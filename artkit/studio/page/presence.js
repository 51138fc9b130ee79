// @ts-check
/** Whether the studio answers: once it does not, it is looked for until it is there again. */

const WAIT = 1000; // milliseconds from one look to the next

/** The studio does not answer. */
export class Away extends Error {
  constructor() {
    super("The studio does not answer. Your work is safe here; start it again with: artkit studio");
  }
}

/** The studio answers, and knows nothing of a job: it was started again. */
export class Lost extends Error {
  constructor() {
    super("The studio was started again and lost this picture.");
  }
}

/** Fires "back" when the studio, which was away, answers again. */
class Presence extends EventTarget {
  #away = false;

  /** It did not answer: look for it. */
  async lost() {
    if (this.#away) return;
    this.#away = true;
    while (this.#away) {
      await new Promise((resolve) => setTimeout(resolve, WAIT));
      this.#away = await fetch("/page/mark.svg", { cache: "no-store" }).then(() => false, () => true);
    }
    this.dispatchEvent(new Event("back"));
  }
}

export const presence = new Presence();
