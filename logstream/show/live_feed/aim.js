// Nothing moves under a pointer that is about to click: while it moves over the rows, and from
// press to release, arrivals wait. At rest it holds nothing up, or the feed would stall there.

const AIM_MS = 400; // after the last movement
const LONGEST_AIM_MS = 1500;
const LONGEST_PRESS_MS = 5000;

class Aim {
  constructor(store) {
    this.store = store;
    this.isPressed = false;
    this.sinceMs = 0;
    this.at = "";
  }

  // Browsers tell of moves also when a page moved under a resting pointer.
  moved(event) {
    const at = `${event.clientX},${event.clientY}`;
    if (event.pointerType !== "mouse" || this.isPressed || at === this.at) return;
    this.at = at;
    const now = performance.now();
    this.sinceMs ||= now;
    if (now - this.sinceMs > LONGEST_AIM_MS) this.letGo();
    else this.hold(AIM_MS);
  }

  pressed() {
    this.isPressed = true;
    this.hold(LONGEST_PRESS_MS);
  }

  released() {
    if (this.isPressed) this.letGo();
  }

  hold(ms) {
    this.store.hold();
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.letGo(), ms);
  }

  letGo() {
    clearTimeout(this.timer);
    this.isPressed = false;
    this.sinceMs = 0;
    if (this.store.isHeld) this.store.release();
  }
}
