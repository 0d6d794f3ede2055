// The histogram: bars by severity, a legend that filters, time chosen by dragging.

class Histogram {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ withBefore: true }));
    this.painted = null; // {counts, words} of a value that somebody points at elsewhere
    this.build(root);
    this.bars = new StackedBars(this.plot);
    // Shift is read before the brush handles the press.
    this.plot.addEventListener("pointerdown", (event) => (this.isToExplain = event.shiftKey), true);
    this.plot.addEventListener("keydown", (event) => (this.isToExplain = event.shiftKey), true);
    this.brush = new Brush(this, this.plot);
    this.tip = root.appendChild(element("div", "tip"));
    this.tip.popover = "manual";
    this.size = [this.plot.clientWidth, this.plot.clientHeight];
    this.sizes = new ResizeObserver(() => {
      this.size = [this.plot.clientWidth, this.plot.clientHeight];
      this.schedule();
    });
    this.sizes.observe(this.plot);
    this.hear = ({ detail }) => {
      this.painted = detail;
      this.schedule();
    };
    shared.events.addEventListener("paint", this.hear);
  }

  build(root) {
    const legend = root.appendChild(element("div", "legend"));
    this.severities = legend.appendChild(element("div", "severities"));
    this.severities.setAttribute("role", "group");
    this.severities.setAttribute("aria-label", "Lines by severity");
    this.range = legend.appendChild(element("span", "range"));
    this.per = legend.appendChild(element("span", "muted per"));
    this.compare = button("small compare", "", "", () => this.toggleBefore());
    this.explain = button("small explain", "What is different here?", "Compare this time with the time before, value by value. Shift and drag chooses a part.", () =>
      this.tell({ kind: "explain" }));
    this.back = button("small back", "", "Show the time shown before (Esc, or a double click)", () => this.brush.restore());
    this.refresh = button("small refresh", "↻", "Count again", () => this.tell({ kind: "refresh" }));
    this.back.removeAttribute("aria-label"); // it has words of its own
    legend.append(this.compare, this.explain, this.back, this.refresh);
    this.plot = root.appendChild(element("div", "plot"));
    setAttributes(this.plot, { tabindex: 0, role: "group", "aria-roledescription": "histogram" });
    this.said = root.appendChild(element("div", "unseen said"));
    this.said.setAttribute("aria-live", "polite");
  }

  end() {
    shared.events.removeEventListener("paint", this.hear);
    this.sizes.disconnect();
    this.brush.drop();
    cancelAnimationFrame(this.painting);
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    if (this.data && this.data.view !== data.view) this.brush.drop();
    this.data = data;
    const { starts, ends, asOf, counts, before } = data;
    this.buckets = starts.map((start, place) => {
      const end = ends[place];
      const parts = Object.fromEntries(GRAVEST_FIRST.map((word) => [word, counts[word][place]]));
      const state = asOf < start ? "future" : asOf < end ? "open" : "settled";
      const total = Object.values(parts).reduce((sum, count) => sum + count, 0);
      return { start, end, total, counts: parts, before: before?.[place], state };
    });
    this.paint();
  }

  schedule() {
    this.painting ??= requestAnimationFrame(() => this.paint());
  }

  hold() {
    this.schedule();
  }

  bucketAt(x) {
    return this.buckets[this.bars.indexAt(x, this.buckets.length)];
  }

  paint() {
    cancelAnimationFrame(this.painting);
    this.painting = undefined;
    const { brush, data } = this;
    const placeOf = (start) => this.buckets.findIndex((bucket) => bucket.start === start);
    const active = brush.active === null ? -1 : placeOf(brush.active);
    const brushed = brush.range?.map(placeOf) ?? null;
    this.bars.measure(...this.size, this.buckets);
    this.bars.draw({
      buckets: this.buckets,
      clock: this.clock,
      active,
      brushed: brushed && brushed[0] >= 0 && brushed[1] >= 0 ? brushed : null,
      chosen: this.placesOf(data.selection),
      withBefore: this.memory.withBefore && data.before !== null,
      painted: this.paintedCounts(),
    });
    this.drawLegend();
    this.drawTip(active);
  }

  // Of a value pointed at elsewhere; null for none, and when the bars are others by now.
  paintedCounts() {
    const counts = this.painted?.counts;
    return counts?.length === this.buckets.length ? counts : null;
  }

  placesOf(selection) {
    if (!selection) return null;
    const inside = this.buckets.map(({ start, end }, at) => (end > selection[0] && start < selection[1] ? at : -1)).filter((at) => at >= 0);
    return inside.length ? [inside[0], inside.at(-1)] : null;
  }

  // --- words ------------------------------------------------------------------------------------

  totalOf(word) {
    return this.buckets.reduce((sum, bucket) => sum + bucket.counts[word], 0);
  }

  drawLegend() {
    const { data } = this;
    const words = GRAVEST_FIRST.map((word) => ({ word, count: this.totalOf(word), isChosen: data.chosen.includes(word) }));
    arrange(
      this.severities,
      words.filter(({ count, isChosen }) => count || isChosen),
      ({ word }) => word,
      ({ word }) => {
        const made = button("key", "", "", () => this.tell({ kind: "severity", value: word }));
        made.append(severityMark(word), element("span", "count"));
        return made;
      },
      (made, { word, count, isChosen }) => {
        write(made.lastChild, thousands(count));
        setAttributes(made, { "aria-pressed": String(isChosen), "aria-label": `${word}: ${plural(count, "line")}` });
        setTitle(made, isChosen ? `Stop filtering by ${word}` : `Show ${word} only, with others chosen so`);
      },
    );
    const range = this.brush.range;
    const painted = this.paintedCounts();
    write(this.range, range ? this.rangeWords(range) : painted ? this.paintedWords(painted) : "");
    write(this.per, data.per);
    this.per.hidden = this.range.textContent !== "";
    this.compare.hidden = data.comparison === "";
    write(this.compare, data.comparison);
    setAttributes(this.compare, { "aria-pressed": String(this.memory.withBefore) });
    setTitle(this.compare, `${this.memory.withBefore ? "Hide" : "Show"} the period before as a line: ${data.beforeWords}`);
    setAttributes(this.explain, { "aria-pressed": String(data.isExplained) });
    this.back.hidden = !data.back || Boolean(range);
    write(this.back, `↩ ${data.back}`);
    this.refresh.hidden = !data.isMoving;
    const counted = `Count again; these are as of ${this.clock.time(data.asOf * 1000).slice(0, 8)}`;
    setTitle(this.refresh, counted);
    setAttributes(this.refresh, { "aria-label": counted });
    const total = this.buckets.reduce((sum, bucket) => sum + bucket.total, 0);
    setAttributes(this.plot, { "aria-label": `${plural(total, "line")}, ${data.words}. Arrow keys move over the bars, Enter chooses, with Shift a range.` });
  }

  toggleBefore() {
    this.memory.withBefore = !this.memory.withBefore;
    this.paint();
  }

  rangeWords([first, last]) {
    const end = this.endOf(last);
    const inside = this.buckets.filter((bucket) => bucket.start >= first && bucket.start <= last);
    const count = inside.reduce((sum, bucket) => sum + bucket.total, 0);
    const what = this.isToExplain ? "what is different: " : "";
    return what + [spanWords(this.clock, first, end), durationWords(end - first), plural(count, "line")].join(", ");
  }

  // Its own scale, for most values would lie on the floor of the others'.
  paintedWords(counts) {
    const total = counts.reduce((sum, count) => sum + count, 0);
    return `${this.painted.words}: ${plural(total, "line")}, at most ${thousands(Math.max(...counts))} ${this.data.per}`;
  }

  endOf(start) {
    return this.buckets.find((bucket) => bucket.start === start)?.end ?? start;
  }

  whenWords({ start, end }) {
    const day = end - start < DAY ? `${dayWords(this.clock, start)} ` : "";
    const span = spanWords(this.clock, start, end);
    return `${span.startsWith(day.trim()) ? span : day + span} ${zoneWords(this.clock)}`;
  }

  bucketWords(bucket) {
    const parts = GRAVEST_FIRST.filter((word) => bucket.counts[word]).map((word) => `${word} ${thousands(bucket.counts[word])}`);
    return [this.whenWords(bucket), plural(bucket.total, "line"), ...parts];
  }

  drawTip(active) {
    const bucket = this.buckets[active];
    const isShown = Boolean(bucket) && !this.brush.range;
    if (this.tip.matches(":popover-open") !== isShown) this.tip.togglePopover(isShown);
    if (!isShown) return;
    const rows = [[null, this.whenWords(bucket), "", ""], [null, "lines", thousands(bucket.total), bucket.state === "open" ? "so far" : ""]];
    for (const word of GRAVEST_FIRST) {
      const count = bucket.counts[word];
      if (count) rows.push([word, `${SHAPES[word]} ${word}`, thousands(count), percentWords(count, bucket.total)]);
    }
    if (typeof bucket.before === "number") rows.push([null, "period before", thousands(bucket.before), ""]);
    arrange(this.tip, rows, (row, at) => at, () => {
      const line = element("div");
      line.append(element("span"), element("span", "number"), element("span", "number muted"));
      return line;
    }, (line, [word, ...texts]) => {
      texts.forEach((text, at) => write(line.children[at], text));
      line.firstChild.style.color = word ? `var(--severity-${word})` : "";
    });
    this.bars.placeTip(this.tip, this.plot, active);
  }

  say(words) {
    write(this.said, words);
  }

  // --- what Streamlit is told -------------------------------------------------------------------

  choose(first, last) {
    const range = { from: first, to: this.endOf(last) };
    this.tell({ kind: this.isToExplain ? "explain" : "range", ...range });
    if (this.isToExplain) this.brush.cancel();
  }

  restore() {
    if (this.data.back) this.tell({ kind: "restore" });
  }
}

export default mounted((root, data) => new Histogram(root, data));
