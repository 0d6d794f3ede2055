// Traces as rows, each a link to its waterfall.

const SORTS = { newest: "Newest", longest: "Longest", errors: "Most errors", spans: "Most spans" };
const HEADS = ["", "Begins with", "Start", "Duration", "Spans", "Errors", "Services", "Lines"];
const MOST_DOTS = 9;

class TraceTable {
  constructor(root, data) {
    this.root = root;
    this.memory = remembered(data.key, () => ({ ticked: [] }));
    this.build(root);
    root.addEventListener("keydown", (event) => this.key(event));
    root.addEventListener("focusin", ({ target }) => this.note(target.closest(".row")));
    // From anywhere on the page, as in the lists of lines.
    this.hear = (event) => this.pageKey(event);
    document.addEventListener("keydown", this.hear);
  }

  build(root) {
    const bar = root.appendChild(element("div", "bar"));
    this.sorts = bar.appendChild(element("div", "sorts"));
    setRole(this.sorts, "group", "Order");
    for (const [sort, words] of Object.entries(SORTS)) {
      const made = button("small", words, words, () => this.tell({ kind: "sort", value: sort }));
      made.dataset.sort = sort;
      this.sorts.append(made);
    }
    this.hint = bar.appendChild(element("span", "muted hint", "Tick two to compare them"));
    this.compared = bar.appendChild(element("span", "compared"));
    this.compare = traceLink("small act", () => this.openCompared());
    this.compared.append(element("span", "muted"), this.compare, button("small", "Clear", "Clear the ticks", () => this.tick(null)));
    const head = root.appendChild(element("div", "head muted"));
    head.setAttribute("aria-hidden", "true");
    head.append(...HEADS.map((words) => element("span", "", words)));
    this.list = root.appendChild(element("div", "rows"));
    setRole(this.list, "list", "Traces");
    this.ending = root.appendChild(element("div", "end muted"));
    this.more = root.appendChild(button("small more", "", "", () => this.tell({ kind: "more" })));
  }

  end() {
    document.removeEventListener("keydown", this.hear);
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    const known = new Set(data.rows.map(({ id }) => id));
    this.memory.ticked = this.memory.ticked.filter((id) => known.has(id));
    this.draw();
  }

  draw() {
    const { data } = this;
    for (const one of this.sorts.children) one.setAttribute("aria-pressed", String(one.dataset.sort === data.sort));
    this.longest = Math.max(0, ...data.rows.map(({ duration }) => duration));
    const today = this.clock.date(data.asOf * 1000);
    this.isDated = data.rows.some(({ start }) => this.clock.date(start) !== today);
    this.root.classList.toggle("dated", this.isDated);
    arrange(this.list, data.rows, ({ key }) => key, () => this.makeRow(), (row, one) => this.drawRow(row, one));
    this.keepOneStop();
    this.drawCompared();
    write(this.ending, data.endWords);
    this.ending.hidden = !data.endWords;
    this.more.hidden = !data.hasMore;
    write(this.more, data.moreWords);
  }

  makeRow() {
    const row = element("div", "row");
    row.setAttribute("role", "listitem");
    const tick = element("input", "tick");
    tick.type = "checkbox";
    tick.onchange = () => this.tick(row.one.id);
    const root = element("div", "root");
    const dot = element("i", "dot");
    const link = traceLink("open", () => this.tell({ kind: "open", id: row.one.id }));
    link.append(element("b", "name service"), element("span", "name operation"));
    const only = button("small only", "Only these", "", () => this.tell({ kind: "root", service: row.one.service, value: row.one.name }));
    root.append(dot, link, element("span", "muted tag environment"), element("span", "muted tag derived", "from log lines"), only);
    const length = element("div", "length");
    const track = element("span", "track");
    track.append(element("i"));
    length.append(element("span", "number"), track);
    const services = element("div", "services");
    row.append(tick, root, element("span", "muted start"), length, element("span", "number spans"), element("span", "number errors"), services, element("span", "number muted lines"));
    for (const one of [tick, link, only]) one.tabIndex = -1;
    return row;
  }

  drawRow(row, one) {
    row.one = one;
    const part = (name) => row.querySelector(name);
    const { palette } = this.data;
    const colour = (service) => palette[colourIndex(service, palette.length)];
    const first = one.service ?? (one.derived ? one.services[0] : undefined);
    const service = first === undefined ? "no root span yet" : first === "" ? "(no name)" : cleanText(first);
    const operation = one.name === null ? "" : one.name === "" ? "(no name)" : cleanText(one.name);
    const errors = one.errors + one.errorLines;
    row.classList.toggle("failed", errors > 0);
    const tick = part(".tick");
    tick.checked = this.memory.ticked.includes(one.id);
    tick.setAttribute("aria-label", `Compare trace ${one.id.slice(0, 40)}`);
    part(".dot").style.background = first === undefined ? "transparent" : colour(first);
    writeName(part(".service"), service);
    part(".service").classList.toggle("muted", first === undefined);
    writeName(part(".operation"), operation);
    const link = part(".open");
    const address = traceAddress(this.data.link, one.id);
    if (link.href !== address) link.href = address;
    setTitle(link, `${service}  ${operation}\nTrace ${one.id}`.slice(0, 600));
    const when = `${this.clock.date(one.start)} ${this.clock.time(one.start)}`;
    const spoken = [`${service} ${operation}`.trim().slice(0, 200), lengthText(one.duration), one.derived ? "from log lines" : plural(one.spans, "span")];
    if (errors) spoken.push(`${thousands(errors)} with errors`);
    link.setAttribute("aria-label", [...spoken, when].join(", "));
    write(part(".environment"), this.data.showEnvironment ? cleanText(one.environment) : "");
    part(".environment").hidden = !this.data.showEnvironment;
    part(".derived").hidden = !one.derived;
    const only = part(".only");
    only.hidden = one.name === null || one.name === "";
    setTitle(only, `Only traces that begin with ${operation.slice(0, 100)} of ${service.slice(0, 60)} (key o)`);
    only.setAttribute("aria-label", only.title);
    const start = part(".start");
    write(start, this.isDated ? `${this.clock.date(one.start).slice(5)} ${this.clock.time(one.start)}` : this.clock.time(one.start));
    setTitle(start, `${this.clock.full(one.start)}\n${new Date(one.start).toISOString()}\n${ageWords(one.start, this.data.asOf * 1000)}`);
    write(part(".length .number"), lengthText(one.duration));
    setShare(part(".length i"), this.longest ? one.duration / this.longest : 0);
    write(part(".spans"), one.derived ? "–" : thousands(one.spans));
    part(".spans").dataset.unit = one.derived ? "" : one.spans === 1 ? "span" : "spans";
    write(part(".errors"), errors ? `⊗ ${thousands(errors)}` : "");
    setTitle(part(".errors"), errors ? `${plural(one.errors, "span")} with an error, ${plural(one.errorLines, "line")} of error or worse` : "");
    this.drawServices(part(".services"), one.services, colour);
    write(part(".lines"), one.lines ? thousands(one.lines) : "");
    part(".lines").dataset.unit = one.lines === 1 ? "line" : "lines";
    setTitle(part(".lines"), `${plural(one.lines, "log line")}${one.errorLines ? `, ${thousands(one.errorLines)} of error or worse` : ""}`);
  }

  drawServices(box, services, colour) {
    const shown = services.slice(0, services.length > MOST_DOTS + 1 ? MOST_DOTS : services.length).map((name) => ({ name }));
    if (services.length > shown.length) shown.push({ rest: services.slice(shown.length) });
    arrange(
      box,
      shown,
      ({ name, rest }) => (rest ? "+" : `=${name}`),
      ({ rest }) => {
        if (rest) return element("span", "muted rest");
        const made = button("pick", "", "", () => this.tell({ kind: "service", value: made.service }));
        made.append(element("i", "dot"));
        made.tabIndex = -1;
        return made;
      },
      (made, { name, rest }) => {
        if (rest) {
          write(made, `+${rest.length}`);
          setTitle(made, rest.slice(0, 40).map(cleanText).join("\n").slice(0, 2000));
          return;
        }
        made.service = name;
        made.firstChild.style.background = colour(name);
        setTitle(made, `${cleanText(name).slice(0, 200) || "(no name)"}\nClick: only traces with it`);
        made.setAttribute("aria-label", `Only traces with ${cleanText(name).slice(0, 100)}`);
      },
    );
    box.setAttribute("aria-label", plural(services.length, "service"));
    box.setAttribute("role", "group");
  }

  // --- comparing --------------------------------------------------------------------------------

  tick(id) {
    const { memory } = this;
    if (id === null) memory.ticked = [];
    else if (memory.ticked.includes(id)) memory.ticked = memory.ticked.filter((one) => one !== id);
    else memory.ticked = [...memory.ticked, id].slice(-2);
    for (const row of this.list.children) row.querySelector(".tick").checked = memory.ticked.includes(row.one.id);
    this.drawCompared();
  }

  drawCompared() {
    const { ticked } = this.memory;
    this.hint.hidden = ticked.length > 0;
    this.compared.hidden = !ticked.length;
    if (!ticked.length) return;
    write(this.compared.firstChild, `${ticked.length} ticked`);
    write(this.compare, ticked.length === 2 ? "Compare the two" : "Compare with the typical one");
    this.compare.href = traceAddress(this.data.link, ticked[0], { compare: ticked[1] ?? "typical" });
  }

  openCompared() {
    const [id, other] = this.memory.ticked;
    this.memory.ticked = [];
    this.tell({ kind: "open", id, compare: other ?? "typical" });
  }

  // --- keys -------------------------------------------------------------------------------------

  // Only the two rows that change are touched: there may be thousands.
  keepOneStop() {
    const current = this.list.querySelector("[data-stop]") ?? this.list.firstElementChild;
    const reach = (row, isStop) => {
      for (const one of row?.querySelectorAll("a, button, input") ?? []) one.tabIndex = isStop ? 0 : -1;
    };
    if (this.stop !== current) reach(this.stop, false);
    reach(current, true);
    this.stop = current;
  }

  note(row) {
    if (!row || row === this.stop) return;
    delete this.stop?.dataset.stop;
    row.dataset.stop = "";
    this.keepOneStop();
  }

  pageKey(event) {
    if (!["j", "k"].includes(event.key) || event.ctrlKey || event.metaKey || event.altKey) return;
    const target = event.composedPath()[0];
    if (target !== document.body && target.closest?.("input, textarea, select, [contenteditable], dialog, .trace_table")) return;
    const row = this.list.querySelector("[data-stop]") ?? this.list.firstElementChild;
    if (!row) return;
    event.preventDefault();
    row.querySelector(".open").focus();
  }

  key(event) {
    const row = event.target.closest?.(".row");
    if (!row || event.ctrlKey || event.metaKey || event.altKey) return;
    const rows = [...this.list.children];
    const at = rows.indexOf(row);
    const goal = { j: at + 1, ArrowDown: at + 1, k: at - 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (goal !== undefined) rows[Math.max(0, Math.min(rows.length - 1, goal))].querySelector(".open").focus();
    else if (event.key === "x") row.querySelector(".tick").click();
    else if (event.key === "o" && !row.querySelector(".only").hidden) row.querySelector(".only").click();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
}

export default mounted((root, data) => new TraceTable(root, data));
