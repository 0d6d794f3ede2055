// Every service as a row: how much, how well, how fast, and what it was yesterday.

const COLUMNS = [
  { id: "service", words: "Service", title: "By name" },
  { id: "rate", words: "Requests", title: "Requests in the time chosen", isNumber: true, of: ({ calls }) => calls },
  { id: "trend", words: "Trend", title: "Requests over the time chosen, errors at the floor" },
  { id: "errors", words: "Errors", title: "Share of requests that failed", isNumber: true, of: errorShare },
  { id: "p50", words: "p50", title: "Half of the requests took no longer", isNumber: true, of: ({ p50Ms }) => p50Ms },
  { id: "p95", words: "p95", title: "95 of 100 requests took no longer", isNumber: true, of: ({ p95Ms }) => p95Ms },
  { id: "p99", words: "p99", title: "99 of 100 requests took no longer", isNumber: true, of: ({ p99Ms }) => p99Ms },
  { id: "change", words: "Against yesterday", title: "Requests, errors and p95 against the same time yesterday", isNumber: true, of: changeOf },
];
const TREND = { width: 110, height: 20 };
const LINKS = { traces: "Traces", explore: "Lines", live: "Live" };

// How much more (or less) was asked than yesterday, as a factor; null without a yesterday.
function changeOf({ calls, callsBefore }) {
  return callsBefore === null ? null : (calls + 1) / (callsBefore + 1);
}

// `+12 %`, `3.1 ×`, `as then`.
function againstWords(now, before) {
  if (!now && !before) return "none, as then";
  if (!before) return "none then";
  const factor = now / before;
  if (factor >= 3) return `${factor >= 10 ? thousands(factor) : factor.toFixed(1)} ×`;
  const percent = Math.round((factor - 1) * 100);
  return percent ? `${percent > 0 ? "+" : "−"}${Math.abs(percent)} %` : "as then";
}

class ServiceTable {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ sort: "rate", isUp: false, sought: "" }));
    this.build(root);
    this.rows = new Rows(root, ".rows", ".row");
  }

  build(root) {
    const bar = root.appendChild(element("div", "bar"));
    this.total = bar.appendChild(element("span", "total"));
    this.as = bar.appendChild(element("span", "muted asof"));
    this.refresh = bar.appendChild(button("small", "↻", "Count again", () => this.tell({ kind: "refresh" })));
    bar.append(searchBox("Part of a name", this.memory, () => this.draw()));
    this.table = root.appendChild(element("div", "table"));
    setRole(this.table, "table", "Services");
    this.head = this.table.appendChild(element("div", "grid head"));
    this.head.setAttribute("role", "row");
    for (const column of COLUMNS) this.head.append(this.makeHead(column));
    const last = this.head.appendChild(element("div", "cell"));
    setRole(last, "columnheader", "Links");
    this.list = this.table.appendChild(element("div", "rows"));
    this.list.setAttribute("role", "rowgroup");
    this.none = root.appendChild(element("div", "muted none"));
    this.silence = root.appendChild(element("div", "silence"));
    this.silence.append(element("div", "title"), element("div", "silent"));
  }

  makeHead({ id, words, title, isNumber }) {
    const cell = element("div", `cell${isNumber ? " number" : ""}`);
    cell.setAttribute("role", "columnheader");
    cell.dataset.column = id;
    if (id === "trend") {
      cell.textContent = words;
      cell.title = title;
    } else {
      const made = cell.appendChild(button("sort", words, title, () => this.sort(id)));
      made.removeAttribute("aria-label");
    }
    return cell;
  }

  update(data) {
    if (this.data?.timezone !== data.timezone) this.clock = new Clock(data.timezone);
    this.data = data;
    this.draw();
  }

  sort(id) {
    const { memory } = this;
    memory.isUp = memory.sort === id ? !memory.isUp : id === "service";
    memory.sort = id;
    this.draw();
  }

  draw() {
    const { data, memory } = this;
    const text = memory.sought.trim().toLowerCase();
    const isFound = ({ service }) => service.toLowerCase().includes(text);
    const found = this.sorted(data.services.filter(isFound));
    write(this.total, text ? `${thousands(found.length)} of ${plural(data.services.length, "service")}` : plural(data.services.length, "service"));
    write(this.as, `as of ${this.clock.time(data.asOf * 1000).slice(0, 8)}`);
    this.as.title = this.clock.full(data.asOf * 1000);
    for (const cell of this.head.children) {
      const isSorted = cell.dataset.column === memory.sort;
      if (isSorted) cell.setAttribute("aria-sort", memory.isUp ? "ascending" : "descending");
      else cell.removeAttribute("aria-sort");
    }
    this.most = Math.max(1, ...data.services.map(({ calls }) => calls));
    arrange(this.list, found, ({ service }) => service, () => this.makeRow(), (row, one) => this.drawRow(row, one));
    this.rows.keepOneStop(this.list);
    write(this.none, data.services.length && !found.length ? "No service has this in its name." : "");
    this.drawSilent(data.silent.filter(isFound));
  }

  sorted(services) {
    const { sort, isUp } = this.memory;
    const of = COLUMNS.find(({ id }) => id === sort).of;
    const turn = isUp ? 1 : -1;
    const byName = (a, b) => a.service.localeCompare(b.service);
    if (!of) return [...services].sort((a, b) => -turn * byName(b, a));
    // What is not known stands last, whichever way.
    return [...services].sort((a, b) => {
      const [left, right] = [of(a), of(b)];
      if (left === null || right === null) return (left === null) - (right === null) || byName(a, b);
      return turn * (left - right) || byName(a, b);
    });
  }

  makeRow() {
    const row = element("div", "grid row");
    row.setAttribute("role", "row");
    const name = () => row.dataset.key;
    for (const { id, isNumber } of COLUMNS) {
      const cell = row.appendChild(element("div", `cell of-${id}${isNumber ? " number" : ""}`));
      cell.setAttribute("role", "cell");
    }
    const open = button("open", "", "", () => this.tell({ kind: "open", service: name() }));
    open.append(element("i", "dot"), element("span", "name"));
    row.children[0].append(open, element("span", "muted by"));
    const trend = svgElement("svg", "spark", { ...TREND, viewBox: `0 0 ${TREND.width} ${TREND.height}`, preserveAspectRatio: "none", role: "img" });
    trend.append(svgElement("path", "calls"), svgElement("path", "failed"));
    row.children[2].append(trend);
    row.children[3].append(element("span", "share"), element("span", "mark"));
    const links = row.appendChild(element("div", "cell links"));
    links.setAttribute("role", "cell");
    for (const [page, words] of Object.entries(LINKS)) {
      const made = link(words, () => this.tell({ kind: "go", page, service: name() }));
      made.dataset.page = page;
      links.append(made);
    }
    row.onclick = (event) => event.target.closest("a, button") || String(getSelection()) || this.tell({ kind: "open", service: name() });
    return row;
  }

  drawRow(row, one) {
    const { seconds, palette, links } = this.data;
    const part = (name) => row.querySelector(name);
    writeName(part(".name"), one.service || "(no name)");
    setTitle(part(".open"), cleanText(one.service).slice(0, 500));
    part(".open").disabled = !one.service;
    part(".dot").style.background = palette[colourIndex(one.service, palette.length)];
    const isByLines = one.toldBy === "lines";
    write(part(".by"), isByLines ? "by its lines" : "");
    setTitle(part(".by"), isByLines ? "It sends no spans: its log lines are counted, those of error or worse as errors" : "");
    const [, rate, trend, errors, p50, p95, p99, change] = row.children;
    write(rate, rateWords(one.calls, seconds));
    setTitle(rate, `${plural(one.calls, isByLines ? "line" : "request")} in this time; ${plural(one.lines, "line")}, ${thousands(one.errorLines)} of error or worse`);
    this.drawTrend(trend.firstChild, one);
    write(part(".share"), shareWords(one.errors, one.calls));
    write(part(".mark"), one.errors ? "⊗" : "");
    errors.classList.toggle("failing", one.errors > 0);
    setTitle(errors, `${thousands(one.errors)} of ${thousands(one.calls)}`);
    for (const [cell, ms] of [[p50, one.p50Ms], [p95, one.p95Ms], [p99, one.p99Ms]]) write(cell, msWords(ms));
    this.drawChange(change, one);
    for (const made of row.querySelectorAll(".links a")) {
      const page = made.dataset.page;
      made.href = links[page] + encodeURIComponent(serviceValue(one.service));
      made.hidden = !one.service || (page === "traces" && isByLines && !one.lines);
    }
  }

  drawTrend(spark, { service, trend, errorTrend }) {
    const { width, height } = TREND;
    const most = Math.max(1, ...trend);
    const step = width / Math.max(1, trend.length);
    const area = (counts, least) => counts.map((count, at) => {
      const y = count ? Math.min(height - least, height - (count / most) * (height - 1)) : height;
      return `${at ? "" : `M0 ${height}`}V${y.toFixed(1)}H${((at + 1) * step).toFixed(1)}`;
    }).join("") + `V${height}Z`;
    setAttributes(spark.children[0], { d: area(trend, 1.5) });
    setAttributes(spark.children[1], { d: area(errorTrend, 2.5) });
    const words = `at most ${thousands(Math.max(0, ...trend))} ${this.data.per}, ${plural(errorTrend.reduce((sum, count) => sum + count, 0), "error")}`;
    setAttributes(spark, { "aria-label": `Trend of ${cleanText(service).slice(0, 200)}: ${words}` });
    setTitle(spark.parentElement, words);
  }

  drawChange(cell, one) {
    const isKnown = one.callsBefore !== null;
    cell.classList.toggle("muted", !isKnown);
    if (!isKnown) {
      setTitle(cell, "Nothing is known of it at the same time yesterday");
      return write(cell, "no history yet");
    }
    const words = [againstWords(one.calls, one.callsBefore)];
    if (one.p95BeforeMs !== null && one.p95Ms !== null) words.push(`p95 ${againstWords(one.p95Ms, one.p95BeforeMs)}`);
    write(cell, words.join(" · "));
    setTitle(cell, [
      "The same time yesterday:",
      `${rateWords(one.callsBefore, this.data.seconds)} (${thousands(one.callsBefore)})`,
      `${shareWords(one.errorsBefore, one.callsBefore)} errors, now ${shareWords(one.errors, one.calls)}`,
      `p95 ${msWords(one.p95BeforeMs)}, now ${msWords(one.p95Ms)}`,
    ].join("\n"));
  }

  // Those that were there and sent nothing in the time chosen.
  drawSilent(silent) {
    this.silence.hidden = !silent.length;
    write(this.silence.firstChild, `Silent in this time, ${this.data.silentWords}`);
    arrange(this.silence.lastChild, silent, ({ service }) => service, () => {
      const made = button("gone", "", "Nothing came from it in this time", () => this.tell({ kind: "open", service: made.dataset.key }));
      made.append(element("i", "dot"), element("span", "name"), element("span", "seen"));
      return made;
    }, (made, { service, words }) => {
      made.firstChild.style.background = this.data.palette[colourIndex(service, this.data.palette.length)];
      writeName(made.children[1], service);
      write(made.lastChild, words);
    });
  }
}

export default mounted((root, data) => new ServiceTable(root, data));
