// Three small charts on one scale of time: requests, errors, durations. What is pointed at in one
// is told in all.

const HEIGHT = 108;
const FLOOR = HEIGHT - AXIS;
const NAME_PIXELS = 9;
const DURATIONS = [["p99Ms", "p99"], ["p95Ms", "p95"], ["p50Ms", "p50"]];

class Trends {
  constructor(root) {
    this.charts = ["calls", "errors", "durations"].map((kind) => {
      const box = root.appendChild(element("div", `chart ${kind}`));
      const head = box.appendChild(element("div", "head"));
      head.append(element("span", "title"), element("span", "muted now"));
      const svg = box.appendChild(svgElement("svg", "plot", { role: "img", tabindex: 0 }));
      svg.append(...["grid", "marks", "labels"].map((name) => svgElement("g", name)), svgElement("rect", "band", { y: TOP, height: FLOOR - TOP }));
      svg.addEventListener("pointermove", (event) => this.point(Math.floor((event.offsetX - LEFT) / this.step)));
      svg.addEventListener("pointerleave", () => this.point(null));
      svg.addEventListener("blur", () => this.point(null));
      svg.addEventListener("keydown", (event) => this.key(event));
      return { kind, box, svg, title: head.firstChild, now: head.lastChild };
    });
    this.at = null;
    this.width = 0;
    this.sizes = new ResizeObserver(() => this.draw());
    this.sizes.observe(root);
  }

  end() {
    this.sizes.disconnect();
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    if (this.at >= data.starts.length) this.at = null;
    this.draw();
  }

  key(event) {
    const last = this.data.starts.length - 1;
    const at = { ArrowLeft: Math.max(0, (this.at ?? last + 1) - 1), ArrowRight: Math.min(last, (this.at ?? -1) + 1), Home: 0, End: last, Escape: null }[event.key];
    if (at === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    this.point(at);
  }

  point(at) {
    const inside = at !== null && at >= 0 && at < this.data.starts.length ? at : null;
    if (inside === this.at) return;
    this.at = inside;
    this.tellAll();
  }

  draw() {
    const { data } = this;
    if (!data) return;
    this.width = this.charts[0].svg.clientWidth || 300;
    this.step = (this.width - LEFT - RIGHT) / Math.max(1, data.starts.length);
    const { calls, errors } = data;
    this.drawBars(this.charts[0], calls, "calls");
    this.drawBars(this.charts[1], errors, "failed");
    this.drawDurations(this.charts[2]);
    this.tellAll();
  }

  left(place) {
    return LEFT + place * this.step;
  }

  drawBars({ svg }, counts, name) {
    const top = niceTop(Math.max(0, ...counts), LEAST_TOP);
    const marks = svg.children[1];
    const gap = this.step > 6 ? 1.5 : 0;
    arrange(marks, counts, (_, place) => place, () => svgElement("rect"), (bar, count, place) => {
      const height = count ? Math.max(2, (count / top) * (FLOOR - TOP)) : 0;
      const isOpen = this.data.asOf < this.data.starts[place] + this.data.bucketSeconds;
      setAttributes(bar, { class: `${name}${isOpen ? " open" : ""}`, x: this.left(place) + gap / 2, width: Math.max(1, this.step - gap), y: FLOOR - height, height });
    });
    this.drawAxes(svg, [[TOP, shortCount(top)], [(TOP + FLOOR) / 2, shortCount(top / 2)], [FLOOR, "0"]]);
  }

  // On a scale of logarithms: a p99 is often many times a p50.
  drawDurations({ svg }) {
    const values = DURATIONS.flatMap(([key]) => this.data[key]).filter((ms) => ms !== null && ms > 0);
    const low = 10 ** Math.floor(Math.log10(Math.min(...values, 1000)));
    const high = Math.max(low * 10, 10 ** Math.ceil(Math.log10(Math.max(...values, low * 10) * 0.999)));
    const y = (ms) => FLOOR - (Math.log(Math.max(ms, low) / low) / Math.log(high / low)) * (FLOOR - TOP);
    const marks = svg.children[1];
    arrange(marks, values.length ? DURATIONS : [], ([key]) => key, ([, word]) => svgElement("path", word), (path, [key]) => {
      let d = "";
      this.data[key].forEach((ms, place) => {
        if (ms === null) return;
        const isFirst = !place || this.data[key][place - 1] === null;
        d += `${isFirst ? "M" : "L"}${this.left(place).toFixed(1)} ${y(ms).toFixed(1)}H${this.left(place + 1).toFixed(1)}`;
      });
      setAttributes(path, { d });
    });
    const ticks = [];
    for (let ms = low; ms <= high; ms *= 10) ticks.push([y(ms), tickMs(ms)]);
    // Each line is named where it ends.
    const ends = values.length ? DURATIONS.map(([key, word]) => {
      const place = this.data[key].findLastIndex((ms) => ms !== null);
      return { x: Math.min(this.left(place + 1) + 3, this.width - 22), y: y(this.data[key][place]) + 3, text: word, anchor: "start" };
    }) : [];
    // Lines that end together are named beneath one another.
    const lowest = FLOOR - (ends.length - 1) * NAME_PIXELS;
    ends.forEach((end, at) => (end.y = Math.max(end.y, at ? ends[at - 1].y + NAME_PIXELS : TOP + 3)));
    ends.forEach((end, at) => (end.y = Math.min(end.y, lowest + at * NAME_PIXELS)));
    this.drawAxes(svg, values.length ? ticks : [], ends);
  }

  drawAxes(svg, ticks, named = []) {
    const { starts, bucketSeconds } = this.data;
    setAttributes(svg, { width: "100%", height: HEIGHT });
    const lines = ticks.map(([y]) => ({ x1: LEFT, x2: this.width - RIGHT, y1: y, y2: y }));
    const words = [...ticks.map(([y, text]) => ({ x: LEFT - 5, y: y + 3.5, text, anchor: "end" })), ...named];
    const [from, to] = [starts[0] ?? 0, (starts.at(-1) ?? 0) + bucketSeconds];
    for (const { at, label } of starts.length ? timeTicks(this.clock, from, to, (this.width - LEFT) / LABEL_PIXELS) : []) {
      const place = starts.findIndex((start) => at < start + bucketSeconds);
      const x = this.left(Math.max(0, place) + (place < 0 ? 0 : (at - starts[place]) / bucketSeconds));
      if (place < 0 || x + label.length * 3 > this.width) continue;
      words.push({ x, y: FLOOR + 11, text: label, anchor: "middle" });
      lines.push({ x1: x, x2: x, y1: FLOOR, y2: FLOOR + 3 });
    }
    arrange(svg.children[0], lines, (_, place) => place, () => svgElement("line"), (line, at) => setAttributes(line, at));
    arrange(svg.children[2], words, (_, place) => place, () => svgElement("text"), (made, { text, anchor, ...at }) => {
      setAttributes(made, { ...at, "text-anchor": anchor });
      write(made, text);
    });
  }

  tellAll() {
    const { data, at } = this;
    for (const chart of this.charts) {
      const { kind, svg, title, now } = chart;
      write(title, this.titleOf(kind));
      const when = at === null ? "" : `${this.whenWords(at)}: `;
      write(now, when + this.wordsOf(kind, at));
      setAttributes(svg, { "aria-label": `${this.titleOf(kind)}: ${this.wordsOf(kind, null)}. Arrow keys move over the time.` });
      const band = svg.children[3];
      setAttributes(band, { x: at === null ? 0 : this.left(at), width: at === null ? 0 : this.step });
    }
    this.charts[2].box.hidden = !data.hasDurations;
  }

  titleOf(kind) {
    const { isByLines, per } = this.data;
    return { calls: `${isByLines ? "Lines" : "Requests"} ${per}`, errors: `${isByLines ? "Lines of error or worse" : "Errors"} ${per}`, durations: "Durations" }[kind];
  }

  wordsOf(kind, at) {
    const { data } = this;
    const sum = (counts) => counts.reduce((total, count) => total + count, 0);
    const of = (counts) => (at === null ? sum(counts) : counts[at]);
    if (kind === "calls") return at === null ? `${thousands(data.total)} in all, ${rateWords(data.total, data.seconds)}` : thousands(data.calls[at]);
    if (kind === "errors") {
      const [errors, calls] = at === null ? [data.errorTotal, data.total] : [of(data.errors), of(data.calls)];
      return `${thousands(errors)}, ${shareWords(errors, calls)}`;
    }
    const values = at === null ? data.whole : Object.fromEntries(DURATIONS.map(([key]) => [key, data[key][at]]));
    return [...DURATIONS].reverse().map(([key, word]) => `${word} ${msWords(values[key])}`).join(" · ");
  }

  whenWords(at) {
    const start = this.data.starts[at];
    const words = spanWords(this.clock, start, start + this.data.bucketSeconds);
    return words.includes(":") ? words : dayWords(this.clock, start);
  }
}

const tickMs = (ms) => (ms < 1 ? `${ms} ms` : ms < 1000 ? `${ms} ms` : `${thousands(ms / 1000)} s`);

export default mounted((root) => new Trends(root));
