// The tab Statistics: each service, or each operation, with what it took in this trace.

// [name, title, how it is said, whether greater comes first]
const STATISTICS_COLUMNS = [
  ["name", "", "", false],
  ["count", "Spans", "how many there are", true],
  ["errors", "Errors", "spans that failed", true],
  ["total", "Total", "their durations added up; what ran at the same time counts twice", true],
  ["self", "Own time", "without the time in which their children ran", true],
  ["share", "Share", "of the own time of all spans", true],
  ["p95", "p95", "95 % took no longer", true],
  ["longest", "Longest", "the longest of them", true],
];

class Statistics {
  constructor(root, waterfall) {
    this.root = root;
    this.waterfall = waterfall;
    this.by = "service";
    this.sort = "self";
    this.isTurned = false;
    const bar = root.appendChild(element("div", "by"));
    this.choices = ["service", "operation"].map((by) =>
      bar.appendChild(button("small", by === "service" ? "By service" : "By operation", `One row for each ${by}`, () => {
        this.by = by;
        this.draw();
      })),
    );
    bar.append(element("span", "muted", "A click on a row shows its spans in the timeline."));
    this.table = root.appendChild(element("table"));
  }

  draw() {
    this.choices.forEach((choice, place) => choice.setAttribute("aria-pressed", String(this.by === ["service", "operation"][place])));
    const groups = this.sorted(groupsOf(this.waterfall.trace.spans, this.by));
    const head = element("tr");
    for (const [name, title, words, isNumber] of STATISTICS_COLUMNS) {
      const cell = head.appendChild(element("th", isNumber ? "number" : ""));
      const isSorted = this.sort === name;
      const label = name === "name" ? (this.by === "service" ? "Service" : "Operation") : title;
      cell.append(button("", `${label}${isSorted ? (this.isTurned === isNumber ? " ▴" : " ▾") : ""}`, words ? `${label}: ${words}` : `Sort by ${label.toLowerCase()}`, () => this.sortBy(name)));
      if (isSorted) cell.setAttribute("aria-sort", this.isTurned === isNumber ? "ascending" : "descending");
    }
    const body = element("tbody");
    body.append(...groups.slice(0, 500).map((group) => this.rowOf(group)));
    const top = element("thead");
    top.append(head);
    this.table.replaceChildren(top, body);
    if (groups.length > 500) this.table.append(element("caption", "muted", `${thousands(groups.length - 500)} more are not shown.`));
  }

  rowOf(group) {
    const row = element("tr");
    row.tabIndex = 0;
    row.onclick = () => this.waterfall.showOnly(group.service, group.operation);
    row.onkeydown = (event) => event.key === "Enter" && row.onclick();
    const name = row.appendChild(element("td", "who"));
    const service = name.appendChild(element("span", "service"));
    service.style.setProperty("--service", this.waterfall.colourOf(group.service));
    writeName(service, group.service);
    if (group.operation !== undefined) writeName(name.appendChild(element("span", "operation")), group.operation);
    const cell = (text, className = "") => row.appendChild(element("td", `number ${className}`, text));
    cell(thousands(group.count));
    const errors = cell(group.errors ? `⊗ ${thousands(group.errors)}` : "0", group.errors ? "wrong" : "none");
    errors.style.setProperty("--colour", "var(--severity-error)");
    cell(durationWords(group.total));
    cell(durationWords(group.self));
    const share = cell(percentWords(group.self, group.ofAll), "share");
    const bar = share.appendChild(element("i"));
    bar.style.width = `${group.ofAll > 0 ? (100 * group.self) / group.ofAll : 0}%`;
    bar.style.setProperty("--service", this.waterfall.colourOf(group.service));
    cell(durationWords(group.p95));
    cell(durationWords(group.longest));
    return row;
  }

  sortBy(name) {
    this.isTurned = this.sort === name && !this.isTurned;
    this.sort = name;
    this.draw();
  }

  sorted(groups) {
    const valueOf = (group) => (this.sort === "name" ? `${group.service}\n${group.operation ?? ""}` : group[this.sort === "share" ? "self" : this.sort]);
    const isText = this.sort === "name";
    const compare = (one, other) => {
      const [a, b] = [valueOf(one), valueOf(other)];
      return isText ? (a < b ? -1 : a > b ? 1 : 0) : b - a;
    };
    groups.sort((one, other) => compare(one, other) * (this.isTurned ? -1 : 1));
    return groups;
  }
}

function groupsOf(spans, by) {
  const groups = new Map();
  let ofAll = 0;
  for (const span of spans) {
    const key = by === "service" ? span.service : JSON.stringify([span.service, span.name]);
    let group = groups.get(key);
    if (!group) groups.set(key, (group = { service: span.service, operation: by === "service" ? undefined : span.name, count: 0, errors: 0, total: 0, self: 0, durations: [] }));
    group.count++;
    group.errors += span.isError;
    group.total += Math.max(0, span.duration);
    group.self += span.self;
    group.durations.push(span.duration);
    ofAll += span.self;
  }
  for (const group of groups.values()) {
    group.durations.sort((one, other) => one - other);
    group.ofAll = ofAll;
    // The smallest duration that 95 % of them do not exceed.
    group.p95 = group.durations[Math.ceil(0.95 * group.count) - 1];
    group.longest = group.durations.at(-1);
  }
  return [...groups.values()];
}
