// Two traces beside each other: one tree of what either has, both durations, and the difference.

const STATES = {
  added: { sign: "+", words: "added" },
  removed: { sign: "−", words: "removed" },
  slower: { sign: "▲", words: "slower" },
  faster: { sign: "▼", words: "faster" },
  same: { sign: "=", words: "as long" },
};
const ORDERS = { tree: "As they call", difference: "Largest difference of its own" };
const INDENT = 14;
const DRAWN = 400; // more rows come on demand: nobody reads a thousand

class TraceComparison {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ order: "tree", isDifferentOnly: false, folded: new Set(), drawn: DRAWN }));
    this.sides = root.appendChild(element("div", "sides"));
    const bar = root.appendChild(element("div", "bar"));
    this.counts = bar.appendChild(element("span", "counts"));
    this.orders = bar.appendChild(element("div", "sorts"));
    setRole(this.orders, "group", "Order");
    for (const [order, words] of Object.entries(ORDERS)) {
      const made = button("small", words, words, () => this.set({ order }));
      made.dataset.order = order;
      this.orders.append(made);
    }
    this.only = button("small", "Only differences", "Hide what took about as long in both", () => this.set({ isDifferentOnly: !this.memory.isDifferentOnly }));
    bar.append(this.only);
    this.note = root.appendChild(element("div", "muted note"));
    this.head = root.appendChild(element("div", "head muted"));
    this.head.append(...["Operation", "This trace", "The other", "This against the other", ""].map((words) => element("span", "", words)));
    this.list = root.appendChild(element("div", "list"));
    setRole(this.list, "list", "Operations of both traces");
    this.rows = new Rows(root, ".list", ".row", {});
    this.none = root.appendChild(element("div", "muted none"));
    this.more = root.appendChild(button("small more", "", "", () => this.set({ drawn: this.memory.drawn + DRAWN })));
  }

  set(change) {
    Object.assign(this.memory, change);
    this.draw();
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    if (this.data?.view !== data.view && this.data) {
      this.memory.folded = new Set();
      this.memory.drawn = DRAWN;
    }
    this.data = data;
    this.draw();
  }

  draw() {
    const { data, memory } = this;
    this.drawSides();
    const counts = Object.entries(STATES).map(([state, one]) => ({ state, ...one, count: data.changes[state] ?? 0 }));
    arrange(this.counts, counts.filter(({ count }) => count), ({ state }) => state, ({ state }) => element("span", `state ${state}`), (one, { sign, words, count }) =>
      write(one, `${sign} ${thousands(count)} ${words}`));
    for (const one of this.orders.children) one.setAttribute("aria-pressed", String(one.dataset.order === memory.order));
    this.only.setAttribute("aria-pressed", String(memory.isDifferentOnly));
    write(this.note, data.note);
    this.note.hidden = !data.note;
    const rows = this.shown();
    this.longest = Math.max(1e-9, ...data.rows.flatMap(({ own, other }) => [own?.ms ?? 0, other?.ms ?? 0]));
    arrange(this.list, rows.slice(0, memory.drawn), ({ key }) => key, () => this.makeRow(), (row, one) => this.drawRow(row, one));
    this.rows.keepOneStop(this.list);
    write(this.none, rows.length ? "" : data.rows.length ? "Nothing differs: every operation took about as long in both." : "Neither trace has a span.");
    this.more.hidden = rows.length <= memory.drawn;
    write(this.more, `Show ${thousands(Math.min(DRAWN, rows.length - memory.drawn))} more of the other ${thousands(rows.length - memory.drawn)}`);
  }

  shown() {
    const { rows } = this.data;
    const { order, isDifferentOnly, folded } = this.memory;
    if (order === "difference") {
      // What a span did itself: else everything above the cause comes before it.
      const size = ({ selfChange }) => Math.abs(selfChange);
      const kept = isDifferentOnly ? rows.filter(({ state }) => state !== "same") : rows;
      return [...kept].sort((one, other) => size(other) - size(one));
    }
    // A row leads to those below it, so what leads to a difference is kept.
    const kept = new Set();
    for (const row of rows.toReversed()) {
      if (row.state !== "same" || kept.has(row.key)) {
        kept.add(row.key);
        if (row.parent !== null) kept.add(row.parent);
      }
    }
    const hidden = new Set();
    return rows.filter((row) => {
      const isUnder = row.parent !== null && (hidden.has(row.parent) || folded.has(row.parent));
      if (isUnder) hidden.add(row.key);
      return !isUnder && (!isDifferentOnly || kept.has(row.key));
    });
  }

  drawSides() {
    const { own, other, isTypical } = this.data;
    const change = own.ms - other.ms;
    const words = `${changeText(change)}${other.ms > 0 ? ` · ${percentWordsOf((100 * change) / other.ms)}` : ""}`;
    const sides = [
      { name: "This trace", one: own, words },
      { name: isTypical ? "The typical one: the median of its kind" : "The other", one: other },
    ];
    const most = Math.max(own.ms, other.ms, 1e-9);
    arrange(this.sides, sides, ({ name }) => name, () => this.makeSide(), (side, { name, one, words: change }) => {
      side.one = one;
      const part = (selector) => side.querySelector(selector);
      write(part(".what"), name);
      const link = part("a");
      link.href = traceAddress(this.data.link, one.id);
      writeName(part("b"), one.service === null ? "no root span" : one.service || "(no name)");
      writeName(part(".operation"), one.name ?? "");
      setTitle(link, `Trace ${one.id}\nShow its waterfall`);
      write(part(".facts"), `${this.clock.date(one.start)} ${this.clock.time(one.start)} · ${plural(one.spans, "span")}${one.errors ? ` · ⊗ ${thousands(one.errors)} with errors` : ""} · ${one.id.slice(0, 12)}`);
      write(part(".number"), lengthText(one.ms));
      write(part(".total"), change ?? "");
      setShare(part("i"), one.ms / most);
    });
  }

  makeSide() {
    const side = element("div", "side");
    const link = traceLink("name", () => this.tell({ kind: "open", id: side.one.id }));
    link.append(element("b", "name"), element("span", "name operation"));
    const length = element("div", "length");
    const track = element("span", "track");
    track.append(element("i"));
    length.append(element("strong", "number"), track, element("span", "total"));
    side.append(element("div", "muted what"), link, element("div", "muted facts"), length);
    return side;
  }

  makeRow() {
    const row = element("div", "row");
    row.setAttribute("role", "listitem");
    const name = element("div", "call");
    name.append(
      button("fold", "▾", "Fold or unfold", () => {
        const { folded } = this.memory;
        if (!folded.delete(row.one.key)) folded.add(row.one.key);
        this.draw();
      }),
      element("i", "dot"),
      element("b", "name"),
      element("span", "name operation"),
      element("span", "muted times"),
    );
    row.append(name);
    for (const side of ["own", "other"]) {
      const length = element("div", `length ${side}`);
      const track = element("span", "track");
      track.append(element("i"));
      length.append(element("span", "number"), track);
      row.append(length);
    }
    row.append(element("span", "number change"), element("span", "state"));
    return row;
  }

  drawRow(row, one) {
    row.one = one;
    const part = (name) => row.querySelector(name);
    const isTree = this.memory.order === "tree";
    part(".call").style.paddingLeft = isTree ? `${Math.min(one.depth, 24) * INDENT}px` : "0px";
    const fold = part(".fold");
    fold.classList.toggle("leaf", !one.hasChildren || !isTree);
    fold.disabled = !one.hasChildren || !isTree;
    const isFolded = this.memory.folded.has(one.key);
    write(fold, isFolded ? "▸" : "▾");
    fold.setAttribute("aria-expanded", String(!isFolded));
    const { palette } = this.data;
    part(".dot").style.background = palette[colourIndex(one.service, palette.length)];
    writeName(part("b"), one.service || "(no name)");
    writeName(part(".operation"), one.name || "(no name)");
    setTitle(part(".call"), `${cleanText(one.service)}  ${cleanText(one.name)}`.slice(0, 600));
    const [here, there] = [one.own?.count ?? 0, one.other?.count ?? 0];
    write(part(".times"), here === there || !here || !there ? (Math.max(here, there) > 1 ? `× ${Math.max(here, there)}` : "") : `× ${here} against ${there}`);
    for (const side of ["own", "other"]) {
      const spans = one[side];
      write(part(`.${side} .number`), spans ? lengthText(spans.ms) : "");
      setShare(part(`.${side} i`), spans ? spans.ms / this.longest : 0);
      const facts = spans ? `${lengthText(spans.ms)}, ${lengthText(spans.selfMs)} of it itself${spans.errors ? `, ${plural(spans.errors, "error")}` : ""}` : "";
      setTitle(part(`.${side}`), facts);
      part(`.${side}`).classList.toggle("failed", Boolean(spans?.errors));
    }
    write(part(".change"), one.own && one.other ? `${changeText(one.change)}${one.percent === null ? "" : ` · ${percentWordsOf(one.percent)}`}` : changeText(one.change));
    setTitle(part(".change"), `of it by itself: ${changeText(one.selfChange)}`);
    const state = part(".state");
    state.className = `state ${one.state}`;
    write(state, `${STATES[one.state].sign} ${STATES[one.state].words}`);
    row.className = `row ${one.state}`;
  }
}

// `+12 %`, `−40 %`; a factor says more where it is large.
function percentWordsOf(percent) {
  if (percent >= 200) return `${percent >= 900 ? thousands(percent / 100 + 1) : (percent / 100 + 1).toFixed(1)}×`;
  const whole = Math.round(percent);
  return whole === 0 ? "±0 %" : `${whole > 0 ? "+" : "−"}${Math.abs(whole)} %`;
}

export default mounted((root, data) => new TraceComparison(root, data));
