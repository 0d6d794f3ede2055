// In the drawer, the lines around the open one: as they came, whatever the page is filtered by.

const NEIGHBOURS = [5, 10, 50, 200]; // so many on each side, for the reader to choose
const MOST_NEIGHBOURS = 500;
const HOST_KEYS = [
  "host.name", "host", "hostname", "host.hostname", "k8s.node.name", "kubernetes.host", "kubernetes.node.name",
  "nodename", "node",
];

const NEIGHBOUR_SCOPES = {
  service: { label: "This service", parameters: () => ({}) },
  all: { label: "Every service", parameters: (line) => ({ scope: "all", env: listed(line.environment) }) },
  trace: {
    label: "This trace",
    isThere: (line) => Boolean(line.traceId),
    parameters: (line) => ({ scope: "all", trace: line.traceId }),
  },
  host: {
    label: "This host",
    isThere: namesHost,
    parameters: () => ({ scope: "host" }),
  },
};
const isScopeOf = (line, scope) => NEIGHBOUR_SCOPES[scope].isThere?.(line) ?? true;

// One name as the URL's comma lists write it.
const listed = (name) => name.replace(/[\\,]/g, "\\$&").replace(/^-/, "\\-");

// Whether the line names its host as the service looks for it (query/surroundings.py).
function namesHost(line) {
  return HOST_KEYS.some((key) => ["string", "number"].includes(typeof attributeAt(line.metadata, key)) && attributeAt(line.metadata, key) !== "");
}

class Neighbours {
  constructor(feed) {
    this.feed = feed;
    this.scope = "service";
    this.size = NEIGHBOURS[0];
    this.id = null;
  }

  // The section for a line; asked for once a line and scope.
  section(line) {
    if (line.id !== this.id) {
      this.id = line.id;
      this.before = this.after = this.size;
      this.found = null;
    }
    this.line = line;
    this.el = element("section", "around");
    this.list = element("ol", "around-lines");
    this.draw();
    if (!this.found) this.load();
    return this.el;
  }

  get shownScope() {
    return isScopeOf(this.line, this.scope) ? this.scope : "service";
  }

  async load() {
    const { line, shownScope: scope, before, after } = this;
    const isCurrent = () => line.id === this.id && scope === this.shownScope && before === this.before && after === this.after;
    this.problem = "";
    try {
      const found = await this.feed.source.context(line.id, { before, after, ...NEIGHBOUR_SCOPES[scope].parameters(line) });
      if (isCurrent()) this.found = found;
    } catch (error) {
      if (isCurrent()) this.problem = error.message;
    }
    if (isCurrent()) this.draw();
  }

  choose(scope) {
    this.scope = scope;
    this.found = null;
    this.draw();
    this.load();
  }

  resize(size) {
    this.size = this.before = this.after = size;
    this.load();
  }

  // `side`: "before" or "after".
  more(side) {
    this[side] = Math.min(MOST_NEIGHBOURS, this[side] * 2 + NEIGHBOURS[0]);
    this.load();
  }

  draw() {
    const { line, found, el } = this;
    const head = element("div", "around-head");
    const scopes = element("div", "scopes");
    scopes.setAttribute("role", "group");
    scopes.setAttribute("aria-label", "Which lines");
    for (const [scope, { label }] of Object.entries(NEIGHBOUR_SCOPES)) {
      if (!isScopeOf(line, scope)) continue;
      const choice = button("tool", label, `${label}, around this line`, () => this.choose(scope));
      choice.setAttribute("aria-pressed", String(scope === this.shownScope));
      scopes.append(choice);
    }
    head.append(element("h4", "", "Around this line"), scopes, element("span", "stretch"), this.sizes());
    el.replaceChildren(head);
    if (this.problem || !found) {
      el.append(element("p", "note", this.problem ? `Its neighbours could not be read: ${this.problem}.` : "Loading …"));
      return;
    }
    // In the order of the feed.
    const { isNewestLast } = this.feed;
    const newer = [this.moreButton("after", "Newer"), ...found.after.map((one) => this.row(one)), this.row(line, true)];
    const older = [...found.before.map((one) => this.row(one)), this.moreButton("before", "Older")];
    const items = [...newer, ...older].filter(Boolean);
    this.list.replaceChildren(...(isNewestLast ? items.reverse() : items));
    el.append(this.list);
    if (!found.before.length && !found.after.length) el.append(element("p", "note", "No other lines around it."));
  }

  sizes() {
    const box = element("label", "around-size");
    const select = element("select");
    for (const size of NEIGHBOURS) {
      const option = element("option", "", String(size));
      option.value = size;
      option.selected = size === this.size;
      select.append(option);
    }
    select.title = "Lines on each side";
    select.onchange = () => this.resize(Number(select.value));
    box.append(element("span", "", "±"), select);
    select.setAttribute("aria-label", "Lines on each side");
    return box;
  }

  moreButton(side, word) {
    const isEnd = this.found[side].length < this[side] || this[side] >= MOST_NEIGHBOURS;
    if (isEnd) return null;
    const item = element("li");
    item.append(button("link", `${word} lines`, `Show more ${word.toLowerCase()} lines here`, () => this.more(side)));
    return item;
  }

  row(line, isOpen = false) {
    const { feed } = this;
    const item = element("li", isOpen ? "around-line this" : "around-line");
    const icon = severityIcon();
    drawSeverity(icon, line.severity);
    const severity = element("span", "severity");
    severity.dataset.severity = line.severity;
    severity.append(icon);
    const { ms } = readTime(line.createdAt);
    const time = element("span", "around-time", feed.clock.time(ms));
    time.title = feed.clock.full(ms);
    const parts = [time, severity];
    if (line.source !== this.line.source || this.shownScope !== "service") {
      const service = element("span", "around-service", line.source);
      service.style.color = feed.serviceColour(line.source);
      parts.push(service);
    }
    parts.push(element("bdi", "around-text", cleanText(foldText(line.message.slice(0, DRAWN_CHARACTERS), 1).text) || "(empty message)"));
    if (isOpen) {
      item.setAttribute("aria-current", "true");
      item.append(...parts);
      return item;
    }
    const opener = element("button", "around-open");
    opener.type = "button";
    opener.setAttribute("aria-label", `Open ${line.severity}, ${line.source}, ${feed.clock.time(ms).slice(0, 8)}, ${line.message.slice(0, 200)}`);
    opener.append(...parts);
    opener.onclick = () => feed.openElsewhere(line.id);
    item.append(opener);
    return item;
  }
}
