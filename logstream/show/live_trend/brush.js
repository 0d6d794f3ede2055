// Choosing time with a mouse, a finger or keys: whole buckets, never half of one, which would be
// drawn as a sudden silence.

const DRAG_PIXELS = 4;
const DOUBLE_CLICK_MS = 300; // a first click waits so long for the second

class Brush {
  constructor(trend, plot) {
    this.trend = trend;
    this.plot = plot;
    this.active = null; // start of the bucket that is pointed at
    this.drop();
    const on = (name, handler) => plot.addEventListener(name, handler);
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", () => this.cancel());
    on("pointerleave", () => this.press || this.point(null));
    on("dblclick", () => this.restore());
    on("keydown", (event) => this.key(event));
    // Only who came by the keyboard needs to see where the keys go.
    on("focus", () => plot.classList.toggle("by-keys", !this.press));
    on("blur", () => this.press || this.point(null));
  }

  drop() {
    clearTimeout(this.clicking);
    this.press = null; // {x, isDrag} of a pointer that is down
    this.anchor = this.head = null; // starts of the first and last bucket touched
    this.isChosen = false; // and Streamlit was told
  }

  cancel() {
    this.drop();
    this.trend.schedule();
  }

  point(bucket) {
    const start = bucket ? bucket.start : null;
    if (start === this.active) return;
    this.active = start;
    this.trend.schedule();
  }

  bucketAt(event) {
    return this.trend.bucketAt(event.clientX - this.plot.getBoundingClientRect().left);
  }

  pressed(event) {
    const bucket = this.bucketAt(event);
    if (event.button !== 0 || !bucket) return;
    event.preventDefault();
    this.drop();
    this.press = { x: event.clientX, isDrag: false };
    this.plot.focus({ preventScroll: true });
    this.plot.classList.remove("by-keys");
    this.plot.setPointerCapture(event.pointerId);
    this.anchor = this.head = bucket.start;
    this.trend.hold();
  }

  moved(event) {
    const bucket = this.bucketAt(event);
    if (!bucket) return;
    if (!this.press) return this.point(bucket);
    this.press.isDrag ||= Math.abs(event.clientX - this.press.x) > DRAG_PIXELS;
    if (!this.press.isDrag) return;
    this.active = null;
    this.head = bucket.start;
    this.trend.schedule();
  }

  released() {
    if (!this.press) return;
    const { isDrag } = this.press;
    this.press = null;
    if (isDrag) this.choose();
    else this.clicking = setTimeout(() => this.choose(), DOUBLE_CLICK_MS);
    this.trend.schedule();
  }

  // [first, last] start of what is being chosen; null for nothing.
  get range() {
    if (this.anchor === null || (this.press && !this.press.isDrag)) return null;
    return [Math.min(this.anchor, this.head), Math.max(this.anchor, this.head)];
  }

  choose() {
    if (this.anchor === null) return;
    this.isChosen = true;
    const [first, last] = this.range;
    this.trend.choose(first, last);
  }

  restore() {
    this.drop();
    this.active = null;
    this.trend.restore();
    this.trend.schedule();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || this.press) return;
    const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    const { buckets } = this.trend;
    if (event.key in steps && buckets.length) {
      const from = buckets.findIndex((bucket) => bucket.start === this.active);
      const step = steps[event.key];
      const to = from < 0 ? (step === -Infinity ? 0 : buckets.length - 1) : from + step;
      this.step(buckets[Math.max(0, Math.min(buckets.length - 1, to))], event.shiftKey, buckets[from]);
    } else if (event.key === "Enter" && this.active !== null) {
      if (this.anchor === null) this.anchor = this.head = this.active;
      this.choose();
    } else if (event.key === "Escape") {
      this.escape();
    } else {
      return;
    }
    this.plot.classList.add("by-keys");
    event.preventDefault();
    event.stopPropagation(); // the feed listens to these keys too
  }

  // With Shift the range grows from where it began.
  step(bucket, isRange, before) {
    if (!isRange) this.drop();
    else {
      if (this.anchor === null) this.anchor = before?.start ?? bucket.start;
      this.head = bucket.start;
    }
    this.point(bucket);
    this.trend.say(isRange ? this.trend.rangeWords(this.range) : this.trend.bucketWords(bucket).join(", "));
    this.trend.schedule();
  }

  escape() {
    if (this.anchor !== null && !this.isChosen) this.cancel();
    else this.restore();
  }
}
