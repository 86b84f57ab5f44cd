// How the last seconds of one connection look: a thread, dyed by its phases.

/** The phases that last long enough to be seen, in the order of a request, and what happens in them. */
export const PHASES = {
  idle: "waits for a request",
  header: "reads its head",
  body: "reads a small body",
  dispatch: "the application is at work",
  write: "sends the answer",
  drain: "throws the rest away",
};

/** Four moments a second make 15 seconds. */
const MOMENTS = 60;
const WIDTH = 180;
const HEIGHT = 14;
const STEP = WIDTH / MOMENTS;

/** The picture of one connection's past; newest at the right. Its words stand in the table beside it. */
export class Thread {
  canvas = document.createElement("canvas");
  /** @type {string[]} */
  #moments = [];
  #isOver = false;

  constructor() {
    this.canvas.width = WIDTH * 2;
    this.canvas.height = HEIGHT * 2;
    this.canvas.setAttribute("aria-hidden", "true");
  }

  /** @param {string} phase */
  add(phase) {
    this.#moments.push(phase);
    if (this.#moments.length > MOMENTS) this.#moments.shift();
    this.#isOver = !this.#isOver;
    this.#draw();
  }

  /** A plain weave: the thread goes over one and under the next. */
  #draw() {
    const context = this.canvas.getContext("2d");
    if (context === null) return;
    const style = getComputedStyle(this.canvas);
    context.setTransform(2, 0, 0, 2, 0, 0);
    context.clearRect(0, 0, WIDTH, HEIGHT);
    // The warp, strung before anything is woven.
    context.fillStyle = style.getPropertyValue("--line");
    context.fillRect(0, HEIGHT / 2 - 0.5, WIDTH, 1);
    const from = MOMENTS - this.#moments.length;
    for (const [at, phase] of this.#moments.entries()) {
      context.fillStyle = style.getPropertyValue(`--${phase}`) || style.color;
      // Counted from the newest, so that a moment keeps its side while it wanders to the left.
      const isOver = this.#isOver === ((MOMENTS - from - at) % 2 === 0);
      const height = phase === "idle" ? 2 : isOver ? HEIGHT - 2 : HEIGHT - 6;
      context.fillRect((from + at) * STEP, (HEIGHT - height) / 2, STEP - 0.75, height);
    }
  }
}
