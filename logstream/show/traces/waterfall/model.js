// What a trace consists of, made of the API's answer: spans in a tree, lines and exceptions on them.
//
// Nothing is refused. A parent that is not there becomes a node of its own, a circle of parents is
// cut, and a child outside its parent keeps its true place:
//
//   a ├────────────┤        a            roots and nodes of unknown parents by time,
//   b   ├────┤              └ b          below each its children, lines and exceptions by time
//   c        ├───┤ parent?  unknown parent
//                           └ c

const CALLEES = new Set(["server", "consumer"]);
const MOST_TWINS = 8; // as query/span_tree.py

class Trace {
  constructor(answer) {
    this.answer = answer;
    this.id = answer.traceId;
    this.warnings = answer.warnings ?? [];
    const moments = [
      ...answer.spans.map((span) => BigInt(span.startUnixNano)),
      ...answer.logs.map((line) => unixNanoOf(line.createdAt)),
    ];
    this.base = moments.reduce((least, one) => (one < least ? one : least), moments[0] ?? 0n);
    this.spans = answer.spans.map((span, place) => this.readSpan(span, place));
    this.byId = new Map();
    for (const span of this.spans) {
      const twins = this.byId.get(span.id);
      if (twins) twins.push(span);
      else this.byId.set(span.id, [span]);
    }
    this.nameTwins();
    this.findParents();
    this.cutCircles();
    this.takeLines(answer.logs);
    this.takeCriticalPath(answer.criticalPath ?? []);
    this.shifts = new Map((answer.clockSkew ?? []).map(({ spanId, shiftNano }) => [spanId, Number(shiftNano)]));
    this.correct(false);
  }

  after(unixNano) {
    return Number(unixNano - this.base);
  }

  // Milliseconds of the epoch, for clocks.
  msAt(nanos) {
    return Number(this.base / 1000n + BigInt(Math.round(nanos / 1000))) / 1000;
  }

  readSpan(told, place) {
    return {
      kindOfNode: "span",
      place,
      key: told.spanId,
      id: told.spanId,
      parentId: told.parentSpanId,
      service: told.service || "(no service)",
      name: told.name || "(no name)",
      kind: told.kind,
      environment: told.environment,
      sent: this.after(BigInt(told.startUnixNano)), // as it was sent; `start` as it is shown
      duration: told.durationNano,
      self: told.selfTimeNano,
      status: told.status,
      statusMessage: told.statusMessage ?? "",
      isError: told.status === "error",
      isDerived: told.derived === true,
      warnings: [...(told.warnings ?? [])],
      told,
      parent: null,
      children: [],
      lines: [],
      exceptions: exceptionsOf(told).map((one) => ({ ...one, at: this.after(one.unixNano) })),
      critical: [],
    };
  }

  // Links and memory name a span by its key, also when another has the same id.
  nameTwins() {
    for (const twins of this.byId.values()) {
      for (let at = 1; at < twins.length; at++) twins[at].key = `${twins[at].id}~${at + 1}`;
    }
    this.byKey = new Map(this.spans.map((span) => [span.key, span]));
  }

  // Whose child each span is, by the rule of query/span_tree.py: two halves of one call may share
  // an id, and a child belongs to the half of its own service.
  findParents() {
    this.roots = [];
    const unknown = new Map();
    for (const span of this.spans) {
      span.parent = this.parentOf(span);
      if (span.parent || !span.parentId || span.parentId === span.id) continue;
      if (!unknown.has(span.parentId)) unknown.set(span.parentId, this.placeholder("unknown", span.parentId));
      span.parent = unknown.get(span.parentId);
    }
    this.unknown = [...unknown.values()];
  }

  parentOf(span) {
    const twins = (this.byId.get(span.id) ?? []).slice(0, MOST_TWINS);
    if (CALLEES.has(span.kind)) {
      const caller = twins.find((other) => other !== span && !CALLEES.has(other.kind));
      if (caller) return caller;
    }
    if (!span.parentId) return null;
    let best = null;
    let bestRank = -1;
    for (const other of (this.byId.get(span.parentId) ?? []).slice(0, MOST_TWINS)) {
      const rank = 2 * (other.service === span.service) + CALLEES.has(other.kind);
      if (other !== span && rank > bestRank) [best, bestRank] = [other, rank];
    }
    return best;
  }

  placeholder(kindOfNode, id) {
    return { kindOfNode, key: `${kindOfNode} ${id}`, id, parent: null, children: [], lines: [], exceptions: [], critical: [], warnings: [], sent: 0, duration: 0, self: 0, service: "", name: "" };
  }

  // A circle has no beginning: its earliest span becomes a root, and says so.
  cutCircles() {
    const seen = new Map(); // span → the walk that met it first
    for (const first of this.spans) {
      let node = first;
      while (node && node.kindOfNode === "span" && !seen.has(node)) {
        seen.set(node, first);
        node = node.parent;
      }
      if (!node || seen.get(node) !== first) continue;
      let earliest = node;
      for (let one = node.parent; one !== node; one = one.parent) if (one.sent < earliest.sent) earliest = one;
      earliest.parent = null;
      earliest.warnings.push("its parents go round in a circle: it is shown without one");
    }
    for (const span of this.spans) (span.parent ? span.parent.children : this.roots).push(span);
  }

  takeLines(lines) {
    const stray = this.placeholder("lines", "");
    this.lines = lines.map((line) => ({ line, at: this.after(unixNanoOf(line.createdAt)) }));
    for (const one of this.lines) {
      one.span = (one.line.spanId && this.byId.get(one.line.spanId)?.[0]) || stray;
      one.span.lines.push(one);
    }
    this.stray = stray.lines.length ? stray : null;
    this.exceptionCount = this.spans.reduce((sum, span) => sum + span.exceptions.length, 0);
  }

  takeCriticalPath(parts) {
    for (const { spanId, startUnixNano, endUnixNano } of parts) {
      const from = this.after(BigInt(startUnixNano));
      const to = this.after(BigInt(endUnixNano));
      // Of twins the one that the part lies in.
      const twins = this.byId.get(spanId) ?? [];
      const span = twins.find((one) => one.sent <= from && to <= one.sent + one.duration) ?? twins[0];
      span?.critical.push([from - span.sent, to - span.sent]);
    }
    this.hasCriticalPath = parts.length > 0;
  }

  // With clocks corrected, or as the spans were sent; then the order and the ends follow.
  correct(isCorrected) {
    this.isCorrected = isCorrected;
    for (const span of this.spans) {
      span.shift = span.told.shiftNano ?? 0;
      span.start = span.sent + (isCorrected ? span.shift : 0);
      span.end = span.start + Math.max(0, span.duration);
    }
    const byStart = (one, other) => one.start - other.start || one.place - other.place;
    for (const span of this.spans) span.children.sort(byStart);
    for (const node of this.unknown) {
      node.children.sort(byStart);
      node.start = node.children[0].start;
      node.end = node.children.reduce((most, child) => Math.max(most, child.end), node.start);
    }
    if (this.stray) [this.stray.start, this.stray.end] = [this.stray.lines[0].at, this.stray.lines.at(-1).at];
    const tops = [...this.roots, ...this.unknown, ...(this.stray ? [this.stray] : [])];
    this.tops = tops.sort((one, other) => one.start - other.start || (one.place ?? -1) - (other.place ?? -1));
    this.measure();
  }

  measure() {
    let [from, to] = [Infinity, -Infinity];
    for (const { start, end } of this.spans) [from, to] = [Math.min(from, start), Math.max(to, end)];
    for (const { at } of this.lines) [from, to] = [Math.min(from, at), Math.max(to, at)];
    this.from = Number.isFinite(from) ? from : 0;
    this.to = Number.isFinite(to) ? to : 0;
    this.root = this.roots[0] ?? this.unknown[0]?.children[0] ?? null;
  }

  get duration() {
    return this.to - this.from;
  }

  // [service, number of spans and lines], most first.
  services() {
    const counts = new Map();
    for (const { service } of this.spans) counts.set(service, (counts.get(service) ?? 0) + 1);
    for (const { line } of this.lines) if (!counts.has(line.source)) counts.set(line.source, 0);
    return [...counts].sort(([, one], [, other]) => other - one);
  }
}

function unixNanoOf(iso) {
  const { ms, nanos } = readTime(iso);
  return BigInt(ms) * 1_000_000n + BigInt(nanos);
}

// Of what a sender calls a time; null when it is none.
function nanoOf(value) {
  try {
    return value === null || value === undefined || value === "" ? null : BigInt(value);
  } catch {
    return null;
  }
}

// {unixNano, type, message} of each exception: the light answer lists them, a whole one has events.
function exceptionsOf(told) {
  const listed = told.exceptions ?? (told.events ?? [])
    .filter(({ name, attributes }) => name === "exception" || attributes?.["exception.type"] !== undefined)
    .map(({ timeUnixNano, attributes }) => ({ timeUnixNano, type: attributes?.["exception.type"], message: attributes?.["exception.message"] }));
  return listed.map(({ timeUnixNano, type, message }) => ({
    unixNano: nanoOf(timeUnixNano) ?? BigInt(told.startUnixNano),
    type: String(type ?? "exception"),
    message: String(message ?? ""),
  }));
}
