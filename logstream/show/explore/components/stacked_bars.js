// The drawing: each severity as a part of its bucket's bar, the gravest at the floor where their
// heights compare; the period before as a line over it.

// A hundredth of the lines would lie on the floor of the scale, unseen.
const LEAST_PIXELS = { fatal: 2, error: 2, warn: 1, info: 1, debug: 0, trace: 0 };

class StackedBars extends Bars {
  constructor(place) {
    super(place);
    this.chosen = svgElement("rect", "chosen");
    this.svg.insertBefore(this.chosen, this.columns);
    this.previous = svgElement("path", "previous");
    this.painted = svgElement("path", "painted");
    this.columns.after(this.painted, this.previous);
  }

  measure(width, height, buckets) {
    super.measure(width, height, buckets);
    this.size.floor = this.size.axisY;
  }

  draw({ buckets, clock, active, brushed, chosen, withBefore, painted }) {
    const { size } = this;
    setAttributes(this.svg, { width: size.width, height: size.height });
    const counts = buckets.map((bucket) => Math.max(bucket.total, withBefore ? bucket.before ?? 0 : 0));
    const top = niceTop(Math.max(0, ...counts), LEAST_TOP);
    this.drawAxes(buckets, clock, top);
    while (this.drawn.length > buckets.length) this.drawn.pop().g.remove();
    buckets.forEach((bucket, place) => this.drawColumn(bucket, place, top));
    this.drawLine(this.previous, withBefore ? buckets.map(({ before }) => before) : [], top);
    this.drawLine(this.painted, painted ?? [], niceTop(Math.max(0, ...(painted ?? [])), LEAST_TOP));
    this.drawBand(this.band, active < 0 ? null : [active, active]);
    this.drawBand(this.chosen, chosen);
    this.drawBand(this.brush, brushed);
    this.drawPosition(buckets, null);
  }

  drawColumn(bucket, place, top) {
    const { step, floor } = this.size;
    const key = [bucket.start, ...Object.values(bucket.counts), bucket.state, step, floor, top].join();
    let column = this.drawn[place];
    if (column?.key === key) return;
    if (!column) {
      const g = this.columns.appendChild(svgElement("g"));
      const parts = [...GRAVEST_FIRST, "filling"].map((name) => [name, g.appendChild(svgElement("rect", name))]);
      column = this.drawn[place] = { g, parts: Object.fromEntries(parts) };
    }
    column.key = key;
    setAttributes(column.g, { class: `column ${bucket.state}`, "data-start": bucket.start });
    const space = step > 14 ? 2 : step > 5 ? 1 : 0;
    const x = this.edge(place) + space / 2;
    const width = Math.max(1, step - space);
    const room = floor - TOP;
    let y = floor;
    for (const word of GRAVEST_FIRST) {
      const count = bucket.counts[word] ?? 0;
      const height = count ? Math.max(LEAST_PIXELS[word], (count / top) * room) : 0;
      y -= height;
      setAttributes(column.parts[word], { x, width, y: Math.max(0, y), height });
    }
    const height = bucket.state === "open" ? floor - y : 0;
    setAttributes(column.parts.filling, { x, width, y: floor - height, height });
  }

  // In steps, a level a bucket; without a count the line is interrupted.
  drawLine(path, counts, top) {
    const { floor } = this.size;
    let d = "";
    let isDrawing = false;
    counts.forEach((count, place) => {
      if (count === null || count === undefined) return (isDrawing = false);
      const y = Math.round((floor - (count / top) * (floor - TOP)) * 10) / 10;
      const [left, right] = [this.edge(place), this.edge(place + 1)].map((x) => Math.round(x * 10) / 10);
      d += isDrawing ? `V${y}H${right}` : `M${left} ${y}H${right}`;
      isDrawing = true;
    });
    setAttributes(path, { d });
  }

  drawAxes(buckets, clock, top) {
    const { width, step, floor } = this.size;
    const [from, to] = [buckets[0]?.start ?? 0, buckets.at(-1)?.end ?? 0];
    const key = [from, to, clock.zone, width, floor, top].join();
    if (key === this.axisKey) return;
    this.axisKey = key;
    const line = (y, name) => ({ class: name, x1: LEFT, x2: width - RIGHT, y1: y, y2: y });
    const text = (x, y, name, words, anchor = "end") => ({ class: name, x, y, words, "text-anchor": anchor });
    const half = (TOP + floor) / 2;
    const lines = [line(TOP, ""), line(half, ""), line(floor, "floor")];
    const texts = [
      text(LEFT - 5, TOP + 3.5, "lines", shortCount(top)),
      text(LEFT - 5, half + 3.5, "lines", shortCount(top / 2)),
      text(LEFT - 5, floor - 0.5, "lines", "0"),
    ];
    const inner = step * buckets.length;
    for (const { at, label } of buckets.length ? timeTicks(clock, from, to, inner / LABEL_PIXELS) : []) {
      // A bar of the day of a clock change is as wide as the others.
      const place = buckets.findIndex(({ end }) => at < end);
      const bucket = buckets[place] ?? buckets.at(-1);
      const x = place < 0 ? LEFT + inner : this.edge(place + (at - bucket.start) / (bucket.end - bucket.start));
      if (x + label.length * 3 > width) continue; // half a label beside the plot is unreadable
      texts.push(text(Math.max(x, LEFT), floor + 11, "time", label, "middle"));
      lines.push({ class: "tick", x1: x, x2: x, y1: floor, y2: floor + 3 });
    }
    this.fill(this.grid, "line", lines);
    this.fill(this.labels, "text", texts);
  }
}
