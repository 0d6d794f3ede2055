// The drawing: lines as stacked bars, and errors again in a row of their own scale beneath, because
// a hundredth of the lines lies on the floor of any scale that holds them all.

const LEFT = 40;
const RIGHT = 8;
const TOP = 5;
const GAP = 5;
const ERRORS = 20;
const AXIS = 14;
const LEAST_TOP = 4; // one line is no full bar
const LABEL_PIXELS = 72;

function svgElement(tag, className, attributes = {}) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  if (className) made.setAttribute("class", className);
  setAttributes(made, attributes);
  return made;
}

function setAttributes(target, attributes) {
  for (const [name, value] of Object.entries(attributes)) {
    const text = typeof value === "number" ? String(Math.round(value * 100) / 100) : value;
    if (target.getAttribute(name) !== text) target.setAttribute(name, text);
  }
}

const PARTS = ["rest", "warn", "error", "late", "filling", "alone", "alone-filling"];

class Bars {
  constructor(place) {
    this.svg = svgElement("svg", "", { "aria-hidden": "true" });
    this.svg.append(this.patterns());
    const group = (name) => this.svg.appendChild(svgElement("g", name));
    this.band = this.svg.appendChild(svgElement("rect", "band"));
    this.grid = group("grid");
    this.columns = group("columns");
    this.labels = group("labels");
    this.brush = this.svg.appendChild(svgElement("rect", "brush"));
    this.position = this.svg.appendChild(svgElement("line", "position"));
    place.append(this.svg);
    this.drawn = []; // [{g, parts, key}] a column
    this.axisKey = "";
  }

  patterns() {
    const definitions = svgElement("defs");
    for (const [id, turn] of [["filling", 45], ["late", -45]]) {
      const pattern = svgElement("pattern", "", {
        id: `trend-${id}`,
        width: 5,
        height: 5,
        patternUnits: "userSpaceOnUse",
        patternTransform: `rotate(${turn})`,
      });
      pattern.append(svgElement("rect", `stripe-${id}`, { width: id === "late" ? 3 : 2, height: 5 }));
      definitions.append(pattern);
    }
    return definitions;
  }

  // Widths in pixels of this drawing; `buckets` oldest first.
  measure(width, height, buckets) {
    const inner = Math.max(1, width - LEFT - RIGHT);
    const axisY = height - AXIS;
    this.size = {
      width,
      height,
      inner,
      step: inner / Math.max(1, buckets.length),
      axisY,
      floor: axisY - ERRORS - GAP,
    };
  }

  indexAt(x, count) {
    const place = Math.floor((x - LEFT) / this.size.step);
    return Math.max(0, Math.min(count - 1, place));
  }

  // The left edge of a bucket, in pixels; that after the last one is the right edge.
  edge(place) {
    return LEFT + place * this.size.step;
  }

  draw({ buckets, clock, active, brushed, positionMs }) {
    const { size } = this;
    setAttributes(this.svg, { width: size.width, height: size.height });
    const linesTop = niceTop(Math.max(0, ...buckets.map((bucket) => bucket.total)), LEAST_TOP);
    const errorsTop = niceTop(Math.max(0, ...buckets.map((bucket) => bucket.error)), LEAST_TOP);
    this.drawAxes(buckets, clock, linesTop, errorsTop);
    while (this.drawn.length > buckets.length) this.drawn.pop().g.remove();
    buckets.forEach((bucket, place) => this.drawColumn(bucket, place, linesTop, errorsTop));
    this.drawBand(this.band, active < 0 ? null : [active, active]);
    this.drawBand(this.brush, brushed);
    this.drawPosition(buckets, positionMs);
  }

  drawColumn(bucket, place, linesTop, errorsTop) {
    const { step, floor, axisY } = this.size;
    const key = [bucket.start, bucket.total, bucket.error, bucket.warn, bucket.late, bucket.state, step, floor, linesTop, errorsTop].join();
    let column = this.drawn[place];
    if (column?.key === key) return;
    if (!column) {
      const g = this.columns.appendChild(svgElement("g"));
      const parts = Object.fromEntries(PARTS.map((name) => [name, g.appendChild(svgElement("rect", name))]));
      column = this.drawn[place] = { g, parts };
    }
    column.key = key;
    setAttributes(column.g, { class: `column ${bucket.state}`, "data-start": bucket.start });
    const space = step > 14 ? 2 : step > 5 ? 1 : 0;
    const x = this.edge(place) + space / 2;
    const width = Math.max(1, step - space);
    const room = floor - TOP;
    const rise = (count, least) => (count ? Math.max(least, (count / linesTop) * room) : 0);
    const error = rise(bucket.error, 2);
    const warn = rise(bucket.warn, 1);
    const whole = Math.max(rise(bucket.total, 1), error + warn);
    const late = Math.min(whole, rise(bucket.late, 2));
    const alone = bucket.error ? Math.max(2, (bucket.error / errorsTop) * ERRORS) : 0;
    const isOpen = bucket.state === "open";
    const put = (name, y, height) => setAttributes(column.parts[name], { x, width, y, height: Math.max(0, height) });
    put("error", floor - error, error);
    put("warn", floor - error - warn, warn);
    put("rest", floor - whole, whole - error - warn);
    put("late", floor - whole, late);
    put("filling", floor - whole, isOpen ? whole : 0);
    put("alone", axisY - alone, alone);
    put("alone-filling", axisY - alone, isOpen ? alone : 0);
  }

  drawAxes(buckets, clock, linesTop, errorsTop) {
    const { width, step, floor, axisY } = this.size;
    const from = buckets[0]?.start ?? 0;
    const to = buckets.at(-1)?.end ?? 0;
    const key = [from, to, clock.zone, width, floor, linesTop, errorsTop].join();
    if (key === this.axisKey) return;
    this.axisKey = key;
    const line = (y, name) => ({ class: name, x1: LEFT, x2: width - RIGHT, y1: y, y2: y });
    const text = (x, y, name, words, anchor = "end") => ({ class: name, x, y, words, "text-anchor": anchor });
    const half = (TOP + floor) / 2;
    const lines = [line(TOP, ""), line(half, ""), line(floor, "floor"), line(axisY, "floor")];
    const texts = [
      text(LEFT - 5, TOP + 3.5, "lines", shortCount(linesTop)),
      text(LEFT - 5, half + 3.5, "lines", shortCount(linesTop / 2)),
      text(LEFT - 5, axisY - ERRORS + 5.5, "errors", shortCount(errorsTop)),
      text(LEFT - 5, axisY - 0.5, "errors", "errors"),
    ];
    if (buckets.length) {
      const inner = step * buckets.length;
      for (const { at, label } of timeTicks(clock, from, to, inner / LABEL_PIXELS)) {
        const x = LEFT + ((at - from) / (to - from)) * inner;
        // Half a label beside the plot is unreadable.
        if (x + label.length * 3 > width) continue;
        texts.push(text(Math.max(x, LEFT), axisY + 11, "time", label, "middle"));
        lines.push({ class: "tick", x1: x, x2: x, y1: axisY, y2: axisY + 3 });
      }
    }
    this.fill(this.grid, "line", lines);
    this.fill(this.labels, "text", texts);
  }

  // In place: what stays is the same element.
  fill(group, tag, wanted) {
    while (group.children.length > wanted.length) group.lastChild.remove();
    wanted.forEach(({ words = "", ...attributes }, at) => {
      const target = group.children[at] ?? group.appendChild(svgElement(tag));
      setAttributes(target, attributes);
      write(target, words);
    });
  }

  drawBand(rect, places) {
    const { axisY } = this.size;
    const [first, last] = places ?? [0, -1];
    setAttributes(rect, {
      x: this.edge(first),
      width: (last - first + 1) * this.size.step,
      y: 0,
      height: places ? axisY : 0,
    });
  }

  // Beside a bucket: at its right, or at its left where the window ends.
  placeTip(tip, plotElement, active) {
    const plot = plotElement.getBoundingClientRect();
    const { width } = tip.getBoundingClientRect();
    const right = plot.left + this.edge(active + 1) + 6;
    const left = right + width < innerWidth - 4 ? right : plot.left + this.edge(active) - width - 6;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${plot.top}px`;
  }

  drawPosition(buckets, positionMs) {
    const isShown = positionMs !== null && buckets.length > 0;
    this.position.style.display = isShown ? "" : "none";
    if (!isShown) return;
    const from = buckets[0].start;
    const share = (positionMs / 1000 - from) / (buckets.at(-1).end - from);
    const x = LEFT + Math.max(0, Math.min(1, share)) * this.size.inner;
    setAttributes(this.position, { x1: x, x2: x, y1: 0, y2: this.size.axisY });
  }
}
