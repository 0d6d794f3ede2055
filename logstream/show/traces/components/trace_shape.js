// All traces at once: each as a point over time and duration, beside how many took how long.

const HEIGHT = 172;
const MARGIN = { left: 54, right: 26, top: 8, bottom: 18 };
const BETWEEN = 10;
const NEAR = 12; // pixels
const DRAG = 5;
const THIN = 8; // what is dragged less far in one direction is meant in the other alone

class TraceShape {
  constructor(root, data) {
    this.build(root);
    this.tip = root.appendChild(element("div", "tip"));
    this.tip.popover = "manual";
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(this.plot);
    this.listen();
  }

  build(root) {
    const legend = root.appendChild(element("div", "legend"));
    this.total = legend.appendChild(element("strong", "total"));
    this.errors = button("small errors", "", "", () => this.tell({ kind: "errors" }));
    this.percentiles = legend.appendChild(element("span", "percentiles"));
    this.chosen = legend.appendChild(element("span", "chosen"));
    this.why = button("small why", "What do slow ones have in common?", "Compare the slowest traces of one operation with the others", () => this.tell({ kind: "why" }));
    this.back = button("small back", "", "Show what was shown before (Esc, or a double click)", () => this.restore());
    this.back.removeAttribute("aria-label");
    this.refresh = button("small refresh", "↻", "Look again", () => this.tell({ kind: "refresh" }));
    this.total.after(this.errors);
    legend.append(this.back, this.why, this.refresh);
    this.plot = root.appendChild(element("div", "plot"));
    this.plot.tabIndex = 0;
    setRole(this.plot, "group", "");
    this.svg = this.plot.appendChild(svgElement("svg", "", { "aria-hidden": "true" }));
    const group = (name) => this.svg.appendChild(svgElement("g", name));
    this.grid = group("grid");
    this.bars = this.svg.appendChild(svgElement("path", "bars"));
    this.fine = this.svg.appendChild(svgElement("path", "fine"));
    this.bad = this.svg.appendChild(svgElement("path", "bad"));
    this.marks = group("marks");
    this.ring = this.svg.appendChild(svgElement("circle", "ring", { r: 6 }));
    this.brush = this.svg.appendChild(svgElement("rect", "brush"));
    this.labels = group("labels");
  }

  end() {
    this.sizes.disconnect();
    if (this.tip.matches(":popover-open")) this.tip.hidePopover();
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    if (this.data?.view !== data.view) this.box = null;
    this.data = data;
    this.draw();
  }

  // --- drawing ----------------------------------------------------------------------------------

  measure() {
    const width = this.plot.clientWidth;
    const side = width < 500 ? 76 : Math.min(230, width * 0.2);
    const { left, right, top, bottom } = MARGIN;
    this.area = { left, right: width - right - side - BETWEEN, top, bottom: HEIGHT - bottom };
    this.side = { left: width - right - side, right: width - right };
    const { steps } = this.data;
    const low = Math.max(SHORTEST_MS, steps.length ? steps[0].low : 1);
    const high = steps.length ? steps.at(-1).high : 1000;
    this.scale = new LogScale(low, high, this.area.bottom, this.area.top);
  }

  x(seconds) {
    const { from, to } = this.data;
    const { left, right } = this.area;
    return left + ((right - left) * (seconds - from)) / Math.max(1e-9, to - from);
  }

  secondsAt(x) {
    const { from, to } = this.data;
    const { left, right } = this.area;
    return from + ((Math.min(right, Math.max(left, x)) - left) / (right - left)) * (to - from);
  }

  draw() {
    const width = this.plot.clientWidth;
    if (!width || !this.data) return;
    this.measure();
    setAttributes(this.svg, { width, height: HEIGHT });
    this.drawWords();
    this.drawGrid();
    this.drawPoints();
    this.drawBars();
    this.drawBrush();
  }

  drawWords() {
    const { data } = this;
    write(this.total, data.isComplete ? plural(data.total, "trace") : `the newest ${plural(data.total, "trace")}`);
    const sampled = data.starts.length < data.total ? `${thousands(data.starts.length)} of them are drawn, evenly over the time` : "";
    setTitle(this.total, data.isComplete ? sampled : `Time was over before all were looked at. ${sampled}`.trim());
    write(this.errors, `⊗ ${thousands(data.errorTotal)} with errors`);
    this.errors.hidden = !data.errorTotal && !data.isErrorsOnly;
    setAttributes(this.errors, { "aria-pressed": String(data.isErrorsOnly) });
    setTitle(this.errors, data.isErrorsOnly ? "Show all traces again" : "Show only traces with an error");
    const words = data.percentiles.map(([name, ms]) => `${name} ${lengthText(ms)}`);
    arrange(this.percentiles, data.percentiles, ([name]) => name, () => element("span"), (one, [name, ms]) => write(one, `${name} ${lengthText(ms)}`));
    this.back.hidden = !data.back || Boolean(this.box);
    write(this.back, `↩ ${data.back}`);
    this.why.hidden = !data.canExplain;
    setAttributes(this.why, { "aria-pressed": String(data.isExplained) });
    const asOf = `Look again; this is as of ${this.clock.time(data.asOf * 1000).slice(0, 8)}`;
    setTitle(this.refresh, asOf);
    this.refresh.setAttribute("aria-label", asOf);
    const spoken = `${plural(data.total, "trace")}, ${data.errorTotal} with errors, ${data.words}. ${words.join(", ")}. Drag to choose time and duration.`;
    this.plot.setAttribute("aria-label", spoken);
  }

  drawGrid() {
    const { area, side, scale, clock, data } = this;
    const nodes = [];
    const line = (x1, y1, x2, y2, name = "") => nodes.push(svgElement("line", name, { x1, y1, x2, y2 }));
    const text = (words, x, y, anchor) => {
      const made = svgElement("text", "", { x, y, "text-anchor": anchor });
      made.textContent = words;
      nodes.push(made);
    };
    for (const ms of scale.ticks(6)) {
      const y = scale.place(ms);
      line(area.left, y, area.right, y);
      line(side.left, y, side.right, y);
      text(lengthText(ms), area.left - 5, y + 3, "end");
    }
    line(area.left, area.bottom, area.right, area.bottom, "floor");
    line(side.left, area.top, side.left, area.bottom, "floor");
    const most = Math.max(2, Math.floor((area.right - area.left) / 72));
    for (const { at, label } of timeTicks(clock, data.from, data.to, most)) {
      line(this.x(at), area.bottom, this.x(at), area.bottom + 3, "floor");
      text(label, this.x(at), HEIGHT - 4, "middle");
    }
    this.grid.replaceChildren(...nodes);
  }

  drawPoints() {
    const { starts, durations, errors } = this.data;
    const fine = [];
    const bad = [];
    this.places = starts.map((start, at) => [this.x(start), this.scale.place(durations[at])]);
    this.places.forEach(([x, y], at) => {
      const place = `${x.toFixed(1)} ${y.toFixed(1)}`;
      // The shape of an error on every page: a circle with a cross.
      if (errors[at]) bad.push(`M${place}m-4 0a4 4 0 1 0 8 0a4 4 0 1 0-8 0M${place}m-1.7-1.7l3.4 3.4m0-3.4l-3.4 3.4`);
      else fine.push(`M${place}h0`);
    });
    setAttributes(this.fine, { d: fine.join("") });
    this.fine.classList.toggle("many", starts.length > 800);
    setAttributes(this.bad, { d: bad.join("") });
    this.point(-1);
  }

  drawBars() {
    const { data, side, area, scale } = this;
    const most = Math.max(1, ...data.steps.map(({ count }) => count));
    const bars = data.steps.map(({ low, high, count }) => {
      const [top, bottom] = [scale.place(high), scale.place(Math.max(SHORTEST_MS, low))];
      const width = count ? Math.max(1, ((side.right - side.left - 2) * count) / most) : 0;
      const height = Math.max(1, bottom - top - 0.6);
      return `M${(side.left + 1).toFixed(1)} ${top.toFixed(1)}h${width.toFixed(1)}v${height.toFixed(1)}h${(-width).toFixed(1)}z`;
    });
    setAttributes(this.bars, { d: bars.join("") });
    let above = -Infinity;
    const marks = data.percentiles.toReversed().flatMap(([name, ms]) => {
      const y = scale.place(ms);
      // Labels that would lie on one another move down.
      above = Math.max(y + 3, above + 10);
      const label = svgElement("text", "", { x: side.right + 4, y: above });
      label.textContent = name;
      return [svgElement("line", "", { x1: area.left, x2: side.right, y1: y, y2: y }), label];
    });
    this.marks.replaceChildren(...marks);
  }

  drawBrush() {
    const { box, area } = this;
    const chosen = this.chosenBox();
    this.brush.style.display = box ? "" : "none";
    write(this.chosen, chosen ? this.boxWords(chosen) : "");
    this.percentiles.hidden = Boolean(chosen);
    if (!box) return;
    const isTimeOnly = this.isTimeOnly();
    const isLengthOnly = this.isLengthOnly();
    const [left, right] = isLengthOnly ? [area.left, this.side.right] : [Math.min(box.x1, box.x2), Math.max(box.x1, box.x2)];
    const [top, bottom] = isTimeOnly ? [area.top, area.bottom] : [Math.min(box.y1, box.y2), Math.max(box.y1, box.y2)];
    setAttributes(this.brush, { x: left, y: top, width: Math.max(1, right - left), height: Math.max(1, bottom - top) });
  }

  // --- choosing ---------------------------------------------------------------------------------

  listen() {
    const on = (name, act) => this.plot.addEventListener(name, act);
    on("pointerdown", (event) => this.pressed(event));
    on("pointermove", (event) => this.moved(event));
    on("pointerup", (event) => this.released(event));
    on("pointercancel", () => this.cancel());
    on("pointerleave", () => this.press || this.point(-1));
    on("dblclick", () => this.restore());
    on("keydown", (event) => {
      if (event.key !== "Escape") return;
      event.stopPropagation();
      if (this.box) this.cancel();
      else this.restore();
    });
  }

  placeOf(event) {
    const at = this.plot.getBoundingClientRect();
    return [event.clientX - at.left, event.clientY - at.top];
  }

  pressed(event) {
    if (event.button !== 0) return;
    this.cancel(); // of what was chosen before nothing is left
    const [x, y] = this.placeOf(event);
    this.press = { x, y, at: this.nearest(x, y), isNewTab: event.ctrlKey || event.metaKey };
    this.plot.setPointerCapture(event.pointerId);
    this.plot.focus({ preventScroll: true });
    event.preventDefault();
  }

  moved(event) {
    const [x, y] = this.placeOf(event);
    if (!this.press) return this.point(this.nearest(x, y));
    const isDrag = this.box || Math.hypot(x - this.press.x, y - this.press.y) > DRAG;
    if (!isDrag) return;
    const { area, side } = this;
    const inside = (value, low, high) => Math.min(high, Math.max(low, value));
    this.box = {
      isSide: this.press.x > area.right + BETWEEN / 2,
      x1: inside(this.press.x, area.left, side.right), x2: inside(x, area.left, side.right),
      y1: inside(this.press.y, area.top, area.bottom), y2: inside(y, area.top, area.bottom),
    };
    this.point(-1);
    this.drawBrush();
  }

  released() {
    const { press } = this;
    this.press = null;
    if (!press) return;
    if (this.box) {
      const chosen = this.chosenBox();
      if (chosen) this.tell({ kind: "box", ...chosen });
      else this.cancel();
    } else if (press.at >= 0) {
      const id = this.data.ids[press.at];
      if (press.isNewTab) window.open(traceAddress(this.data.link, id), "_blank", "noopener");
      else this.tell({ kind: "open", id });
    }
  }

  cancel() {
    this.press = this.box = null;
    this.drawBrush();
  }

  restore() {
    this.cancel();
    if (this.data.back) this.tell({ kind: "restore" });
  }

  isTimeOnly() {
    const { box } = this;
    return !box.isSide && Math.abs(box.y1 - box.y2) < THIN;
  }

  isLengthOnly() {
    const { box } = this;
    return box.isSide || (Math.abs(box.x1 - box.x2) < THIN && !this.isTimeOnly());
  }

  // {from, to} in seconds and {low, high} in milliseconds; null where not narrowed.
  chosenBox() {
    const { box } = this;
    if (!box) return null;
    const chosen = { from: null, to: null, low: null, high: null };
    if (!this.isLengthOnly()) {
      const unit = this.data.to - this.data.from > 120 ? 1 : 0.001;
      chosen.from = Math.floor(this.secondsAt(Math.min(box.x1, box.x2)) / unit) * unit;
      chosen.to = Math.ceil(this.secondsAt(Math.max(box.x1, box.x2)) / unit) * unit;
    }
    if (!this.isTimeOnly()) {
      const [top, bottom] = [Math.min(box.y1, box.y2), Math.max(box.y1, box.y2)];
      // At the very edge no limit is meant.
      if (bottom < this.area.bottom - 1) chosen.low = roundTo(this.scale.at(bottom), Math.floor);
      if (top > this.area.top + 1) chosen.high = roundTo(this.scale.at(top), Math.ceil);
    }
    return Object.values(chosen).some((value) => value !== null) ? chosen : null;
  }

  boxWords({ from, to, low, high }) {
    const words = [];
    if (from !== null) words.push(`${this.clock.time(from * 1000).slice(0, 8)} – ${this.clock.time(to * 1000).slice(0, 8)}`);
    if (low !== null && high !== null) words.push(`${lengthText(low)} to ${lengthText(high)}`);
    else if (low !== null) words.push(`${lengthText(low)} or longer`);
    else if (high !== null) words.push(`up to ${lengthText(high)}`);
    return words.join(", ");
  }

  // --- pointing ---------------------------------------------------------------------------------

  nearest(x, y) {
    let found = -1;
    let best = NEAR * NEAR;
    this.places?.forEach(([px, py], at) => {
      const distance = (px - x) ** 2 + (py - y) ** 2;
      // Of those at one place, one with an error.
      if (distance < best || (distance === best && this.data.errors[at])) {
        best = distance;
        found = at;
      }
    });
    return found;
  }

  point(at) {
    this.pointed = at;
    const place = this.places?.[at];
    this.ring.style.display = place ? "" : "none";
    this.plot.classList.toggle("pointing", Boolean(place));
    if (this.tip.matches(":popover-open") !== Boolean(place)) this.tip.togglePopover(Boolean(place));
    if (!place) return;
    setAttributes(this.ring, { cx: place[0], cy: place[1] });
    const { data } = this;
    const [service, name] = data.roots[data.rootOf[at]];
    const rows = [
      service === null ? "no root span yet" : cleanText(`${service}  ${name ?? ""}`).slice(0, 120),
      `${lengthText(data.durations[at])}${data.errors[at] ? "   ⊗ with errors" : ""}`,
      `${this.clock.date(data.starts[at] * 1000)} ${this.clock.time(data.starts[at] * 1000)}`,
    ];
    arrange(this.tip, rows, (row, line) => line, () => element("div"), (line, words) => write(line, words));
    const frame = this.plot.getBoundingClientRect();
    const { width, height } = this.tip.getBoundingClientRect();
    const left = frame.left + place[0] + 12;
    this.tip.style.left = `${left + width < innerWidth - 8 ? left : frame.left + place[0] - width - 12}px`;
    this.tip.style.top = `${Math.max(8, frame.top + place[1] - height / 2)}px`;
  }
}

export default mounted((root, data) => new TraceShape(root, data));
