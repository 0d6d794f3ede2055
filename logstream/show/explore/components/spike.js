// What a time has more and less of than another: the most telling value first, each a click away.

const PAINT_AFTER_MS = 250; // a pointer that only passes asks nothing
const MOST_OF_A_FIELD = 3; // more values of one, such as users, hide all other fields

class Spike {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ open: new Set() }));
    const bar = root.appendChild(element("div", "bar"));
    this.what = bar.appendChild(element("strong", "what"));
    bar.append(element("span", "muted", "compared with"));
    this.pick = bar.appendChild(element("select", "baseline"));
    this.pick.setAttribute("aria-label", "Compared with");
    this.pick.onchange = () => this.tell({ kind: "baseline", value: this.pick.value });
    this.against = bar.appendChild(element("span", "muted"));
    bar.append(button("small close", "Close", "Close this comparison", () => this.tell({ kind: "close" })));
    this.note = root.appendChild(element("div", "muted note"));
    this.list = root.appendChild(element("div", "sides"));
    this.rows = new Rows(root, ".list", ".line", { x: ".exclude" });
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.tell({ kind: "close" }));
  }

  end() {
    this.unpaint();
  }

  update(data) {
    this.data = data;
    write(this.what, `What is different in ${data.what}, ${plural(data.total, "line")}`);
    arrange(this.pick, data.baselines, ([name]) => name, () => element("option"), (option, [name, words]) => {
      option.value = name;
      write(option, words);
    });
    this.pick.value = data.baseline;
    write(this.against, plural(data.baselineTotal, "line"));
    write(this.note, data.note);
    this.note.hidden = !data.note;
    const sides = [
      { name: "more", title: "More frequent in this time", rows: data.differences.filter((one) => one.share > one.baselineShare) },
      { name: "less", title: "Less frequent in this time", rows: data.differences.filter((one) => one.share <= one.baselineShare) },
    ].filter(({ rows }) => rows.length);
    arrange(this.list, sides, ({ name }) => name, () => this.makeSide(), (side, one) => this.drawSide(side, one));
    this.showPainted();
  }

  makeSide() {
    const side = element("div", "side");
    const list = element("div", "list");
    side.append(element("div", "head"), list);
    setRole(list, "list", "");
    return side;
  }

  drawSide(side, { name, title, rows }) {
    write(side.firstChild, title);
    side.lastChild.setAttribute("aria-label", title);
    arrange(
      side.lastChild,
      this.folded(name, rows),
      ({ field, value, hidden }) => (hidden ? `${field}\n` : `${field}\n=${value}`),
      (one) => (one.hidden ? this.makeMore(name) : this.makeRow()),
      (row, one) => (one.hidden ? this.drawMore(row, one) : this.drawRow(row, one)),
    );
    this.rows.keepOneStop(side.lastChild);
  }

  // The first values of each field, and where more of them are, one row that opens them.
  folded(side, rows) {
    const counts = new Map();
    const shown = [];
    for (const one of rows) {
      const count = (counts.get(one.field) ?? 0) + 1;
      counts.set(one.field, count);
      if (count <= MOST_OF_A_FIELD || this.memory.open.has(`${side} ${one.field}`)) shown.push(one);
      else if (count === MOST_OF_A_FIELD + 1) shown.push({ field: one.field, title: one.title, hidden: rows.filter(({ field }) => field === one.field).length - MOST_OF_A_FIELD });
    }
    return shown;
  }

  makeMore(side) {
    const row = element("div", "line");
    row.setAttribute("role", "listitem");
    row.append(button("more", "", "", () => {
      this.memory.open.add(`${side} ${row.one.field}`);
      this.update(this.data);
    }));
    return row;
  }

  drawMore(row, one) {
    row.one = one;
    write(row.firstChild, `${plural(one.hidden, "more value")} of ${cleanText(one.title)}`);
  }

  makeRow() {
    const row = element("div", "line row");
    row.setAttribute("role", "listitem");
    const told = (kind) => this.tell({ kind, field: row.one.field, value: row.one.value });
    const pick = button("pick", "", "", () => told("toggle"));
    pick.append(element("span", "mark"), element("span", "muted name field"), element("span", "name value"));
    const shares = element("span", "shares");
    for (const when of ["now", "before"]) {
      const track = element("span", `track ${when}`);
      track.append(element("i"));
      shares.append(track, element("span", `number ${when}`));
    }
    row.append(pick, shares, element("span", "number lift"), element("span", "muted certainty"), button("small exclude", "Exclude", "", () => told("exclude")));
    row.addEventListener("pointerenter", () => this.paint(row.one));
    row.addEventListener("pointerleave", () => this.unpaint());
    row.addEventListener("focusin", (event) => event.target.matches(":focus-visible") && this.paint(row.one));
    row.addEventListener("focusout", () => this.unpaint());
    return row;
  }

  drawRow(row, one) {
    row.one = one;
    const { field, title, label, value, count, share, baselineCount, baselineShare, lift, p, isOnly, isOut } = one;
    const part = (name) => row.querySelector(name);
    const words = label === "" ? "(empty)" : cleanText(label);
    write(part(".mark"), isOnly ? "✓" : isOut ? "−" : "");
    writeName(part(".field"), title);
    const name = part(".value");
    writeName(name, field === "severity" ? `${SHAPES[value] ?? ""} ${words}` : words);
    name.style.color = field === "severity" ? `var(--severity-${value})` : field === "service" ? this.data.palette[colourIndex(value, this.data.palette.length)] : "";
    name.classList.toggle("template", field === "pattern");
    const most = Math.max(share, baselineShare, 1e-9);
    setShare(part(".now i"), share / most);
    setShare(part(".before i"), baselineShare / most);
    write(part(".number.now"), shareWords(share));
    write(part(".number.before"), shareWords(baselineShare));
    setTitle(part(".shares"), `now ${plural(count, "line")}, ${shareWords(share)}\nbefore ${plural(baselineCount, "line")}, ${shareWords(baselineShare)}`);
    write(part(".lift"), liftWords(lift));
    write(part(".certainty"), certainty(p));
    setTitle(part(".certainty"), chanceWords(p));
    const pick = part(".pick");
    setTitle(pick, `${title}: ${words.slice(0, 500)}\nShow these lines`);
    pick.setAttribute("aria-pressed", String(isOnly));
    pick.setAttribute("aria-label", `${title} ${words.slice(0, 200)}: ${shareWords(share)} now, ${shareWords(baselineShare)} before, ${liftWords(lift)}, ${certainty(p)}`);
    write(part(".exclude"), isOut ? "Include" : "Exclude");
    part(".exclude").setAttribute("aria-label", `${isOut ? "Include" : "Exclude"} ${words.slice(0, 100)} (key X)`);
  }

  // --- on the histogram -------------------------------------------------------------------------

  paint(one) {
    clearTimeout(this.painting);
    this.pointed = one;
    if (this.showPainted()) return;
    this.painting = setTimeout(() => this.tell({ kind: "paint", field: one.field, value: one.value }), PAINT_AFTER_MS);
  }

  unpaint() {
    clearTimeout(this.painting);
    this.pointed = null;
    shared.events.dispatchEvent(new CustomEvent("paint", { detail: null }));
  }

  // True when Python has counted the value that is pointed at.
  showPainted() {
    const { painted } = this.data ?? {};
    const { pointed } = this;
    if (!painted || !pointed || painted.field !== pointed.field || painted.value !== pointed.value) return false;
    shared.events.dispatchEvent(new CustomEvent("paint", { detail: { counts: painted.counts, words: `${pointed.title} ${cleanText(pointed.label).slice(0, 60)}` } }));
    return true;
  }
}

export default mounted((root, data) => new Spike(root, data));
