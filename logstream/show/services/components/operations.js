// What a service is asked for, and where its time goes; those that take the most of it first.

const OPERATION_COLUMNS = [
  { id: "operation", words: "Operation" },
  { id: "share", words: "Time", title: "Share of the time of all its operations", of: ({ totalMs }) => totalMs },
  { id: "calls", words: "Calls", of: ({ calls }) => calls },
  { id: "errors", words: "Errors", of: errorShare },
  { id: "p50", words: "p50", of: ({ p50Ms }) => p50Ms },
  { id: "p95", words: "p95", of: ({ p95Ms }) => p95Ms },
  { id: "p99", words: "p99", of: ({ p99Ms }) => p99Ms },
];
const FEW_OPERATIONS = 12;

class Operations {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ sort: "share", isUp: false, sought: "", isWhole: false }));
    const bar = root.appendChild(element("div", "bar"));
    this.total = bar.appendChild(element("span", "total"));
    bar.append(searchBox("Part of an operation", this.memory, () => this.draw()));
    const table = root.appendChild(element("div", "table"));
    setRole(table, "table", "Operations");
    this.head = table.appendChild(element("div", "grid head"));
    this.head.setAttribute("role", "row");
    for (const { id, words, title, of } of OPERATION_COLUMNS) {
      const cell = this.head.appendChild(element("div", `cell${of ? " number" : ""}`));
      cell.setAttribute("role", "columnheader");
      cell.dataset.column = id;
      cell.append(button("sort", words, title ?? `By ${words}`, () => this.sort(id)));
    }
    this.list = table.appendChild(element("div", "rows"));
    this.list.setAttribute("role", "rowgroup");
    this.more = root.appendChild(button("small more", "", "", () => {
      this.memory.isWhole = !this.memory.isWhole;
      this.draw();
    }));
    this.none = root.appendChild(element("div", "muted none"));
    this.rows = new Rows(root, ".rows", ".row");
  }

  update(data) {
    this.data = data;
    this.draw();
  }

  sort(id) {
    const { memory } = this;
    memory.isUp = memory.sort === id ? !memory.isUp : id === "operation";
    memory.sort = id;
    this.draw();
  }

  draw() {
    const { data, memory } = this;
    const text = memory.sought.trim().toLowerCase();
    const of = OPERATION_COLUMNS.find(({ id }) => id === memory.sort).of;
    const turn = memory.isUp ? 1 : -1;
    const byName = (a, b) => a.operation.localeCompare(b.operation);
    const found = data.operations
      .filter(({ operation }) => operation.toLowerCase().includes(text))
      .sort((a, b) => (of ? turn * ((of(a) ?? -1) - (of(b) ?? -1)) || byName(a, b) : turn * byName(a, b)));
    const shown = memory.isWhole ? found : found.slice(0, FEW_OPERATIONS);
    write(this.total, plural(data.operations.length, "operation"));
    for (const cell of this.head.children) {
      if (cell.dataset.column === memory.sort) cell.setAttribute("aria-sort", memory.isUp ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    this.whole = data.operations.reduce((sum, { totalMs }) => sum + totalMs, 0);
    arrange(this.list, shown, ({ operation, kind }) => JSON.stringify([operation, kind]), () => this.makeRow(), (row, one) => this.drawRow(row, one));
    this.rows.keepOneStop(this.list);
    this.more.hidden = found.length <= FEW_OPERATIONS;
    write(this.more, memory.isWhole ? "Show fewer" : `Show the other ${thousands(found.length - shown.length)}`);
    write(this.none, data.operations.length ? (found.length ? "" : "No operation has this in its name.") : data.noneWords);
  }

  makeRow() {
    const row = element("div", "grid row");
    row.setAttribute("role", "row");
    for (const { id, of } of OPERATION_COLUMNS) {
      const cell = row.appendChild(element("div", `cell of-${id}${of ? " number" : ""}`));
      cell.setAttribute("role", "cell");
    }
    const [first, share] = row.children;
    const open = button("open", "", "Show the traces with this operation", () => this.tell({ kind: "operation", operation: row.one.operation }));
    open.append(element("span", "name"), element("span", "muted kind"));
    const slow = button("small slow", "Why slow?", "What do slow ones have in common?", () => this.tell({ kind: "slow", operation: row.one.operation }));
    first.append(open, slow);
    const track = element("span", "track");
    track.append(element("i"));
    share.append(track, element("span", "share"));
    return row;
  }

  drawRow(row, one) {
    row.one = one;
    const [, share, calls, errors, ...durations] = row.children;
    const isOfLines = one.kind === "line";
    writeName(row.querySelector(".name"), isOfLines ? "(log lines with a duration)" : one.operation || "(no name)");
    write(row.querySelector(".kind"), isOfLines ? "" : one.kind);
    const open = row.querySelector(".open");
    open.disabled = isOfLines || one.operation === "(other)";
    setTitle(open, isOfLines ? "" : `${cleanText(one.operation).slice(0, 500)}\nShow the traces with this operation`);
    const slow = row.querySelector(".slow");
    slow.hidden = !this.data.canCompare || open.disabled || one.calls < 20 || !one.operation;
    slow.setAttribute("aria-pressed", String(this.data.slow === one.operation));
    setShare(share.querySelector("i"), this.whole ? one.totalMs / this.whole : 0);
    write(share.lastChild, percentWords(one.totalMs, this.whole));
    write(calls, rateWords(one.calls, this.data.seconds));
    setTitle(calls, plural(one.calls, "call"));
    write(errors, shareWords(one.errors, one.calls));
    errors.classList.toggle("failing", one.errors > 0);
    [one.p50Ms, one.p95Ms, one.p99Ms].forEach((ms, at) => write(durations[at], msWords(ms)));
  }
}

export default mounted((root, data) => new Operations(root, data));
