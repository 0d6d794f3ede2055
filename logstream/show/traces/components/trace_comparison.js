// Two traces beside each other: one tree of what either has, both durations, and the difference.

const STATES = {
  added: { sign: "+", words: "added" },
  removed: { sign: "−", words: "removed" },
  slower: { sign: "▲", words: "slower" },
  faster: { sign: "▼", words: "faster" },
  same: { sign: "=", words: "as long" },
};
const ORDERS = { tree: "As they call", difference: "Largest difference" };
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
    this.head.append(...["Operation", "This trace", "The other", "Change", ""].map((words) => element("span", "", words)));
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
    const counts = Object.entries(STATES).map(([state, one]) => ({ state, ...one, count: data.rows.filter((row) => row.state === state).length }));
    arrange(this.counts, counts.filter(({ count }) => count), ({ state }) => state, ({ state }) => element("span", `state ${state}`), (one, { sign, words, count }) =>
      write(one, `${sign} ${thousands(count)} ${words}`));
    for (const one of this.orders.children) one.setAttribute("aria-pressed", String(one.dataset.order === memory.order));
    this.only.setAttribute("aria-pressed", String(memory.isDifferentOnly));
    write(this.note, data.note);
    this.note.hidden = !data.note;
    const rows = this.shown();
    this.longest = Math.max(1e-9, ...data.rows.flatMap(({ a, b }) => [a ?? 0, b ?? 0]));
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
      const size = ({ a, b }) => Math.abs((b ?? 0) - (a ?? 0));
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
    const { a, b } = this.data;
    const change = b.ms - a.ms;
    const words = a.ms > 0 ? `${changeText(change)} (${percentChange(a.ms, b.ms)})` : changeText(change);
    const sides = [
      { name: "This trace", one: a },
      { name: this.data.isTypical ? "The typical one: the median of its kind" : "The other", one: b, words },
    ];
    const most = Math.max(a.ms, b.ms, 1e-9);
    arrange(this.sides, sides, ({ name }) => name, () => this.makeSide(), (side, { name, one, words: change }) => {
      side.one = one;
      const part = (selector) => side.querySelector(selector);
      write(part(".what"), name);
      const link = part("a");
      link.href = traceAddress(this.data.link, one.id);
      writeName(part("b"), one.service === null ? "no root span" : one.service || "(no name)");
      writeName(part(".operation"), one.name ?? "");
      setTitle(link, `Trace ${one.id}\nShow its waterfall`);
      write(part(".facts"), `${this.clock.date(one.start)} ${this.clock.time(one.start)} · ${plural(one.spans, "span")} · ${one.id.slice(0, 12)}`);
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
    for (const side of ["a", "b"]) {
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
    const times = one.aCount === one.bCount ? (one.aCount > 1 ? `× ${one.aCount}` : "") : one.aCount && one.bCount ? `× ${one.aCount} → ${one.bCount}` : Math.max(one.aCount, one.bCount) > 1 ? `× ${Math.max(one.aCount, one.bCount)}` : "";
    write(part(".times"), times);
    for (const side of ["a", "b"]) {
      const ms = one[side];
      write(part(`.${side} .number`), ms === null ? "" : lengthText(ms));
      setShare(part(`.${side} i`), ms === null ? 0 : ms / this.longest);
    }
    const { a, b } = one;
    write(part(".change"), a === null || b === null ? "" : `${changeText(b - a)}${a > 0 ? ` · ${percentChange(a, b)}` : ""}`);
    const state = part(".state");
    state.className = `state ${one.state}`;
    write(state, `${STATES[one.state].sign} ${STATES[one.state].words}`);
    row.className = `row ${one.state}`;
  }
}

// `+12 %`, `−40 %`; a factor says more where it is large.
function percentChange(before, after) {
  const factor = after / before;
  if (factor >= 3) return `${factor >= 10 ? thousands(factor) : factor.toFixed(1)}×`;
  const percent = Math.round((factor - 1) * 100);
  return percent === 0 ? "±0 %" : `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %`;
}

export default mounted((root, data) => new TraceComparison(root, data));
