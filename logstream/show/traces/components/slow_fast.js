// What the slow requests of an operation have more of than the fast ones, each a click away.

const MOST_OF_A_FIELD = 4; // more values of one hide all other fields

class SlowFast {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ open: new Set() }));
    const bar = root.appendChild(element("div", "bar"));
    bar.append(element("strong", "", "What slow ones have in common"));
    this.pick = bar.appendChild(element("select", "operation"));
    this.pick.setAttribute("aria-label", "Operation");
    this.pick.onchange = () => this.tell({ kind: "operation", at: Number(this.pick.value) });
    this.what = bar.appendChild(element("span", "muted"));
    bar.append(button("small close", "Close", "Close this comparison", () => this.tell({ kind: "close" })));
    this.note = root.appendChild(element("div", "muted note"));
    this.head = root.appendChild(element("div", "head muted"));
    this.head.setAttribute("aria-hidden", "true");
    this.head.append(...["", "of slow", "of fast", ""].map((words) => element("span", "", words)));
    this.list = root.appendChild(element("div", "list"));
    setRole(this.list, "list", "What slow ones have in common");
    this.rows = new Rows(root, ".list", ".line", {});
    root.addEventListener("keydown", (event) => event.key === "Escape" && this.tell({ kind: "close" }));
  }

  update(data) {
    this.data = data;
    arrange(this.pick, data.operations, (one, at) => at, () => element("option"), (option, [service, name], at) => {
      option.value = String(at);
      write(option, cleanText(`${service} · ${name}`).replace(/\s+/g, " ").slice(0, 120));
    });
    this.pick.value = String(data.operation);
    const { slow, fast, slowMs } = data;
    write(this.what, slowMs === null ? "" : `${plural(slow, "request")} over ${lengthText(slowMs)}, against ${thousands(fast)} faster`);
    write(this.note, data.note);
    this.note.hidden = !data.note;
    this.head.hidden = !data.differences.length;
    arrange(
      this.list,
      this.folded(data.differences),
      ({ field, value, hidden }) => (hidden ? `${field}\n` : `${field}\n=${value}`),
      (one) => (one.hidden ? this.makeMore() : this.makeRow()),
      (row, one) => (one.hidden ? this.drawMore(row, one) : this.drawRow(row, one)),
    );
    this.rows.keepOneStop(this.list);
  }

  // The first values of each field, and where more of them are, one row that opens them.
  folded(rows) {
    const counts = new Map();
    const shown = [];
    for (const one of rows) {
      const count = (counts.get(one.field) ?? 0) + 1;
      counts.set(one.field, count);
      if (count <= MOST_OF_A_FIELD || this.memory.open.has(one.field)) shown.push(one);
      else if (count === MOST_OF_A_FIELD + 1) shown.push({ field: one.field, title: one.title, hidden: rows.filter(({ field }) => field === one.field).length - MOST_OF_A_FIELD });
    }
    return shown;
  }

  makeMore() {
    const row = element("div", "line");
    row.setAttribute("role", "listitem");
    row.append(button("more", "", "", () => {
      this.memory.open.add(row.one.field);
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
    const pick = button("pick", "", "", () => {
      if (row.one.field === "pattern") leaveInOneStep(); // its lines are in Explore
      this.tell({ kind: "choose", field: row.one.field, value: row.one.value });
    });
    pick.append(element("span", "mark"), element("span", "muted name field"), element("span", "name value"));
    row.append(pick);
    for (const side of ["slow", "fast"]) {
      const share = element("span", `share ${side}`);
      const track = element("span", "track");
      track.append(element("i"));
      share.append(element("span", "number"), track);
      row.append(share);
    }
    row.append(element("span", "number lift"), element("span", "muted certainty"));
    return row;
  }

  drawRow(row, one) {
    row.one = one;
    const { field, title, label, count, share, baselineCount, baselineShare, lift, p, isOnly, act } = one;
    const part = (name) => row.querySelector(name);
    const words = label === "" ? "(empty)" : cleanText(label);
    write(part(".mark"), isOnly ? "✓" : "");
    writeName(part(".field"), title);
    writeName(part(".value"), words);
    part(".value").classList.toggle("template", field === "pattern");
    for (const [side, part_, counted] of [["slow", share, count], ["fast", baselineShare, baselineCount]]) {
      write(part(`.${side} .number`), shareWords(part_));
      setShare(part(`.${side} i`), part_);
      setTitle(part(`.share.${side}`), `${plural(counted, "request")} of the ${side} ones`);
    }
    write(part(".lift"), liftWords(lift, "only", "none"));
    write(part(".certainty"), certainty(p));
    setTitle(part(".certainty"), chanceWords(p));
    const pick = part(".pick");
    pick.disabled = !act;
    setTitle(pick, `${title}: ${words.slice(0, 500)}${act ? `\n${act}` : ""}`);
    pick.setAttribute("aria-pressed", String(isOnly));
    pick.setAttribute("aria-label", `${title} ${words.slice(0, 200)}: ${shareWords(share)} of slow, ${shareWords(baselineShare)} of fast, ${liftWords(lift, "only", "none")}, ${certainty(p)}`);
  }
}

export default mounted((root, data) => new SlowFast(root, data));
