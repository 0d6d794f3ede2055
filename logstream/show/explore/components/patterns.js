// Patterns as rows: the template with its places as chips, how many, how they come and go.

const CHIP_MS = 150; // a pointer that only passes asks nothing
const SPARK = { width: 120, height: 22 };
const SORTS = { count: "Most lines", new: "Newest first", severity: "Gravest first" };

class Patterns {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ sort: "count", sought: "", values: new Map() }));
    this.build(root);
    this.rows = new Rows(root, ".rows", ".row", { x: ".exclude" });
    this.floating = new Floating(root, "places");
  }

  build(root) {
    const bar = root.appendChild(element("div", "bar"));
    this.total = bar.appendChild(element("span", "total"));
    bar.append(searchBox("Part of a pattern or service", this.memory, () => this.draw()));
    this.sorts = bar.appendChild(element("div", "sorts"));
    setRole(this.sorts, "group", "Order");
    for (const [sort, words] of Object.entries(SORTS)) {
      const made = button("small", words, words, () => {
        this.memory.sort = sort;
        this.draw();
      });
      made.dataset.sort = sort;
      this.sorts.append(made);
    }
    this.list = root.appendChild(element("div", "rows"));
    setRole(this.list, "list", "Patterns");
    this.none = root.appendChild(element("div", "muted none"));
    this.more = root.appendChild(button("small more", "", "", () => this.tell({ kind: "more" })));
  }

  end() {
    clearTimeout(this.waiting);
    this.floating.hide();
  }

  update(data) {
    if (this.data?.view !== data.view) this.memory.values.clear();
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    if (data.values) this.memory.values.set(data.values.id, data.values);
    this.draw();
    if (this.asked) this.drawPlaces();
  }

  draw() {
    const { data, memory } = this;
    const { patterns, patternCount, total } = data;
    write(this.total, `${plural(patternCount, "pattern")} in ${plural(total, "line")}, all counted`);
    for (const one of this.sorts.children) one.setAttribute("aria-pressed", String(one.dataset.sort === memory.sort));
    const text = memory.sought.trim().toLowerCase();
    const found = patterns.filter((one) => !text || `${one.parts.join(" ")} ${one.services.join(" ")}`.toLowerCase().includes(text));
    const most = Math.max(1, ...patterns.map(({ count }) => count));
    arrange(this.list, this.sorted(found), ({ id }) => id, () => this.makeRow(), (row, one) => this.drawRow(row, one, most));
    this.rows.keepOneStop(this.list);
    write(this.none, found.length ? "" : "No pattern shown has this text.");
    this.more.hidden = patterns.length >= patternCount;
    const left = patternCount - patterns.length;
    write(this.more, `${thousands(patterns.length)} most frequent shown: show more of the other ${thousands(left)}`);
  }

  sorted(patterns) {
    const by = {
      count: (a, b) => b.count - a.count,
      new: (a, b) => b.isNew - a.isNew || b.firstSeen - a.firstSeen || b.count - a.count,
      severity: (a, b) => GRAVEST_FIRST.indexOf(a.severity) - GRAVEST_FIRST.indexOf(b.severity) || b.count - a.count,
    };
    return [...patterns].sort(by[this.memory.sort]);
  }

  makeRow() {
    const row = element("div", "row");
    row.setAttribute("role", "listitem");
    const id = () => row.dataset.key;
    const template = element("div", "template");
    template.onclick = (event) => event.target.closest("button") || this.tell({ kind: "only", id: id() });
    const facts = element("div", "facts muted");
    facts.append(element("span", "fresh"), element("span", "services"), element("span", "seen"));
    const spark = svgElement("svg", "spark", { ...SPARK, viewBox: `0 0 ${SPARK.width} ${SPARK.height}`, "aria-hidden": "true" });
    spark.append(svgElement("path", ""));
    const count = element("div", "counts");
    const track = element("span", "track");
    track.append(element("i"));
    count.append(element("span", "number count"), element("span", "number muted share"), track);
    const acts = element("div", "acts");
    acts.append(
      button("small only", "Show lines", "Show the lines of this pattern", () => this.tell({ kind: "only", id: id() })),
      button("small exclude", "Exclude", "Leave out the lines of this pattern", () => this.tell({ kind: "exclude", id: id() })),
    );
    const mark = element("span", "severity");
    row.append(mark, template, facts, spark, count, acts);
    return row;
  }

  drawRow(row, one, most) {
    const part = (name) => row.querySelector(name);
    const mark = row.firstChild;
    write(mark, `${SHAPES[one.severity]} ${one.severity}`);
    mark.style.setProperty("--colour", `var(--severity-${one.severity})`);
    setTitle(mark, Object.entries(one.severities).map(([word, count]) => `${word} ${thousands(count)}`).join("\n"));
    this.drawTemplate(part(".template"), one);
    write(part(".fresh"), one.isNew ? "new in this time" : "");
    part(".fresh").hidden = !one.isNew;
    this.drawServices(part(".services"), one.services);
    write(part(".seen"), `${one.isNew ? "first" : "known since"} ${this.when(one.firstSeen)} · last ${this.when(one.lastSeen)}`);
    this.drawSpark(part(".spark"), one.trend);
    write(part(".count"), thousands(one.count));
    write(part(".share"), percentWords(one.count, this.data.total));
    setShare(part(".counts i"), one.count / most);
    const words = one.parts.map((text, at) => (at % 2 ? `<${text}>` : text)).join("");
    part(".only").setAttribute("aria-label", `Show the ${plural(one.count, "line")} of ${one.severity}: ${cleanText(words).slice(0, 200)}`);
    write(part(".exclude"), one.isExcluded ? "Include" : "Exclude");
  }

  // Every second part is a place's kind.
  drawTemplate(target, { id, parts, example }) {
    const key = JSON.stringify(parts);
    if (target.dataset.parts === key) return;
    target.dataset.parts = key;
    target.dir = "auto";
    target.title = cleanText(example).slice(0, 1000);
    target.replaceChildren();
    parts.forEach((text, at) => {
      if (at % 2 === 0) return target.append(cleanText(text).replace(/\s+/g, " "));
      const chip = button("chip", text, "", () => this.ask(chip, id, (at - 1) / 2));
      chip.removeAttribute("title");
      chip.setAttribute("aria-label", `${text}: which values stand here`);
      chip.addEventListener("pointerenter", () => {
        clearTimeout(this.waiting);
        this.waiting = setTimeout(() => this.ask(chip, id, (at - 1) / 2), CHIP_MS);
      });
      chip.addEventListener("pointerleave", () => {
        clearTimeout(this.waiting);
        this.floating.leave();
      });
      chip.addEventListener("focus", () => chip.matches(":focus-visible") && this.ask(chip, id, (at - 1) / 2));
      target.append(chip);
    });
  }

  drawServices(target, services) {
    const shown = services.slice(0, 3);
    arrange(target, shown, (name) => name, () => element("span", "service"), (made, name) => {
      writeName(made, name);
      made.style.setProperty("--colour", this.data.palette[colourIndex(name, this.data.palette.length)]);
    });
    setTitle(target, services.slice(0, 50).map(cleanText).join("\n"));
    target.dataset.more = services.length > 3 ? `+${services.length - 3}` : "";
  }

  drawSpark(spark, trend) {
    const { width, height } = SPARK;
    const most = Math.max(1, ...trend);
    const step = width / Math.max(1, trend.length);
    const level = (count) => (count ? Math.min(height - 2, height - (count / most) * (height - 1)) : height).toFixed(1);
    const d = trend.map((count, at) => `${at ? "" : `M0 ${height}`}V${level(count)}H${((at + 1) * step).toFixed(1)}`).join("") + `V${height}Z`;
    setAttributes(spark.firstChild, { d });
  }

  when(seconds) {
    const today = dayWords(this.clock, this.data.asOf) === dayWords(this.clock, seconds);
    return today ? clockWords(this.clock, seconds) : `${dayWords(this.clock, seconds)} ${clockWords(this.clock, seconds)}`;
  }

  // --- the values at a place ----------------------------------------------------------------------

  ask(chip, id, place) {
    clearTimeout(this.waiting);
    this.asked = { chip, id, place };
    if (!this.memory.values.has(id)) this.tell({ kind: "places", id });
    this.drawPlaces();
  }

  drawPlaces() {
    const { chip, id, place } = this.asked;
    if (!chip.isConnected) return this.floating.hide();
    const isShown = this.floating.anchor === chip;
    const answer = this.memory.values.get(id);
    const { box } = this.floating;
    box.replaceChildren();
    const found = answer?.places?.[place];
    if (!answer) box.append(element("div", "muted", "Looking at the values…"));
    else if (!found || !answer.looked) box.append(element("div", "muted", answer.error || "Nothing is known of this place yet."));
    else this.fillPlaces(box, id, found, answer);
    if (!isShown && answer && this.wasHidden) return;
    this.floating.show(chip);
  }

  fillPlaces(box, id, { kind, values, distinct }, { looked, total }) {
    const all = looked >= total ? `all ${plural(total, "line")}` : `the newest ${thousands(looked)} of ${plural(total, "line")}`;
    box.append(element("div", "what", `${plural(distinct, "value")} of ${kind} in ${all}`));
    const list = box.appendChild(element("div", "values"));
    const most = Math.max(1, ...values.map(([, count]) => count));
    for (const [value, count] of values) {
      const row = button("place", "", "", () => {
        this.floating.hide();
        this.tell({ kind: "value", id, value });
      });
      const name = element("span", "name");
      writeName(name, value === "" ? "(empty)" : value);
      const track = element("span", "track");
      setShare(track.appendChild(element("i")), count / most);
      row.append(name, element("span", "number", thousands(count)), element("span", "number muted", percentWords(count, looked)), track);
      row.title = `Show the lines of this pattern with ${cleanText(value).slice(0, 300)}`;
      list.append(row);
    }
    if (distinct > values.length) box.append(element("div", "muted", `and ${thousands(distinct - values.length)} more`));
  }
}

export default mounted((root, data) => new Patterns(root, data));
