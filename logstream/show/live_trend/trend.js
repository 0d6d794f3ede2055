// The trend: one per key, kept on globalThis like the feed, so that a remount forgets neither the
// frames since the last answer nor which buckets had settled.

shared.trends ??= new Map();

class Trend {
  constructor() {
    this.buckets = [];
    this.model = new Buckets();
    this.clock = new Clock("UTC");
    this.root = null;
    this.heldMs = null; // the clock stands while somebody drags
    this.tell = () => {};
    this.grow = unhurried(() => this.schedule());
    this.hear = ({ detail }) => this.model.hear(detail) && this.grow();
  }

  mount(root) {
    if (this.root === root) return;
    if (this.root) this.unmount(this.root);
    this.root = root;
    const find = (selector) => root.querySelector(selector);
    this.legend = find(".legend");
    this.plot = find(".plot");
    this.said = find(".said");
    this.back = find(".back");
    this.back.onclick = () => this.brush.restore();
    this.bars = new Bars(this.plot);
    this.brush = new Brush(this, this.plot);
    // Above everything, for the strip is too low to hold it.
    this.tip = this.plot.parentElement.appendChild(element("div", "tip"));
    this.tip.popover = "manual";
    // Asking for the size at every paint would lay the page out each time.
    this.size = [this.plot.clientWidth, this.plot.clientHeight];
    this.sizes = new ResizeObserver(() => {
      this.size = [this.plot.clientWidth, this.plot.clientHeight];
      this.schedule();
    });
    this.sizes.observe(this.plot);
    this.ticking = setInterval(() => this.schedule(), 1000);
    shared.events.addEventListener("frame", this.hear);
  }

  unmount(root) {
    if (this.root !== root) return;
    shared.events.removeEventListener("frame", this.hear);
    clearInterval(this.ticking);
    this.grow.end();
    this.sizes.disconnect();
    this.brush.drop();
    this.plot.replaceChildren();
    this.tip.remove();
    this.root = null;
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    if (this.model.update(data)) this.brush.drop();
    if (!this.brush.press) this.heldMs = null;
    this.paint();
  }

  schedule() {
    this.painting ??= requestAnimationFrame(() => this.paint());
  }

  // While a range is being dragged, its buckets stay where they are.
  hold() {
    this.heldMs = this.model.nowMs();
    this.schedule();
  }

  bucketAt(x) {
    return this.buckets[this.bars.indexAt(x, this.buckets.length)];
  }

  paint() {
    cancelAnimationFrame(this.painting);
    this.painting = undefined;
    if (!this.root || !this.data) return;
    if (!this.brush.press) this.heldMs = null;
    const { brush, model } = this;
    this.buckets = model.list(this.heldMs ?? undefined);
    const placeOf = (start) => this.buckets.findIndex((bucket) => bucket.start === start);
    const active = brush.active === null ? -1 : placeOf(brush.active);
    const brushed = brush.range?.map(placeOf) ?? null;
    this.bars.measure(...this.size, this.buckets);
    this.bars.draw({
      buckets: this.buckets,
      clock: this.clock,
      active,
      brushed: brushed && brushed[0] >= 0 && brushed[1] >= 0 ? brushed : null,
      positionMs: model.counts.isPlayed ? model.positionMs : null,
    });
    this.drawLegend();
    this.drawTip(active);
  }

  // --- words ------------------------------------------------------------------------------------

  totals(buckets = this.buckets) {
    const sum = (name) => buckets.reduce((total, bucket) => total + bucket[name], 0);
    return { total: sum("total"), error: sum("error"), warn: sum("warn") };
  }

  drawLegend() {
    const { total, error, warn } = this.totals();
    const put = (name, words) => write(this.legend.querySelector(name), words);
    put(".total span", plural(total, "line"));
    put(".errors span", plural(error, "error"));
    put(".warnings span", plural(warn, "warning"));
    put(".per", this.data.per);
    const range = this.brush.range;
    put(".range", range ? this.rangeWords(range) : "");
    this.legend.classList.toggle("ranged", Boolean(range));
    this.back.hidden = !this.data.back || Boolean(range);
    write(this.back, `↩ ${this.data.back}`);
    const most = this.buckets.reduce((a, b) => (a && a.total >= b.total ? a : b), null);
    const peak = most?.total ? `; most at ${clockWords(this.clock, most.start)}` : "";
    const when = this.data.filter.rangeSeconds ? ` in the ${this.data.words}` : `, ${this.data.words}`;
    const summary = `${plural(total, "line")}, ${plural(error, "error")}${when}${peak}`;
    setAttributes(this.plot, { "aria-label": summary });
  }

  // `09:21 – 09:24, 3 min, 12,301 lines`
  rangeWords([first, last]) {
    const end = last + this.data.bucketSeconds;
    const chosen = this.buckets.filter((bucket) => bucket.start >= first && bucket.start <= last);
    const words = [spanWords(this.clock, first, end), durationWords(end - first)];
    return [...words, plural(this.totals(chosen).total, "line")].join(", ");
  }

  bucketWords({ start, end, total, error, warn, late, state }) {
    const day = end - start < DAY ? `${dayWords(this.clock, start)} ` : "";
    const span = spanWords(this.clock, start, end);
    const when = span.startsWith(day.trim()) ? span : day + span;
    return [
      `${when} ${zoneWords(this.clock)}`,
      plural(total, "line"),
      `${plural(error, "error")}${error ? `, ${percentWords(error, total)}` : ""}`,
      plural(warn, "warning"),
      ...(late ? [`+${thousands(late)} came late`] : []),
      ...(state === "open" ? ["still filling"] : []),
    ];
  }

  drawTip(active) {
    const bucket = this.buckets[active];
    const isShown = Boolean(bucket) && !this.brush.range;
    if (this.tip.matches(":popover-open") !== isShown) this.tip.togglePopover(isShown);
    if (!isShown) return;
    const lines = this.bucketWords(bucket);
    while (this.tip.children.length > lines.length) this.tip.lastChild.remove();
    lines.forEach((line, at) => write(this.tip.children[at] ?? this.tip.appendChild(element("div")), line));
    this.bars.placeTip(this.tip, this.plot, active);
  }

  say(words) {
    write(this.said, words);
  }

  // --- what Streamlit is told ------------------------------------------------------------------

  choose(first, last) {
    this.tell({ kind: "range", from: first, to: last + this.data.bucketSeconds });
  }

  restore() {
    if (this.data.back) this.tell({ kind: "restore" });
  }
}

export default function (component) {
  const { parentElement: root, data, setTriggerValue } = component;
  let trend = shared.trends.get(data.key);
  if (!trend) shared.trends.set(data.key, (trend = new Trend()));
  trend.tell = (asked) => setTriggerValue("asked", { ...asked, name: `${Date.now()} ${Math.random()}` });
  trend.mount(root);
  trend.update(data);
  return () => trend.unmount(root);
}
