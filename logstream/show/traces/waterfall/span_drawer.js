// One span, line or exception in full, over the right side: the list keeps its width. Values stand
// as in the drawer of a log line (live_feed/drawer.js), with the filters that traces have.

const STEPS_PER_DOUBLING = 4; // as durations.py counts them

class SpanDrawer extends Drawer {
  constructor(el, waterfall) {
    super(el, { filter: { text: { marks: [] } } });
    this.waterfall = waterfall;
    this.owner = null;
  }

  get isOpen() {
    return this.owner !== null;
  }

  close() {
    this.owner = null;
    super.close();
  }

  async open(owner) {
    this.owner = owner;
    this.show();
    this.drawOwner();
    if (owner.kindOfNode !== "span") return;
    try {
      await this.waterfall.source.whole(owner);
    } catch (error) {
      owner.wholeError = error.message;
    }
    if (this.owner === owner) this.drawOwner();
    if (owner.steps !== undefined || owner.isDerived) return;
    owner.steps = null;
    try {
      owner.steps = (await this.waterfall.source.durationsOf(owner)).steps ?? null;
    } catch {
      return; // the drawer does without
    }
    if (this.owner === owner) this.drawOwner();
  }

  drawOwner() {
    const { owner } = this;
    const scrolled = this.drawn === owner ? this.el.querySelector(".drawer-body")?.scrollTop ?? 0 : 0;
    this.drawn = owner;
    const body = element("div", "drawer-body");
    if (owner.kindOfNode === "span") body.append(...this.ofSpan(owner));
    else if (owner.kindOfNode) body.append(...this.ofNobody(owner));
    else body.append(...(owner.line ? this.ofLine(owner) : this.ofException(owner)));
    this.el.replaceChildren(this.bar(owner), body);
    body.scrollTop = scrolled;
  }

  bar(owner) {
    const { waterfall } = this;
    const bar = element("div", "drawer-bar");
    const service = element("span", "service");
    const name = owner.line ? owner.line.source : owner.owner?.service ?? owner.service;
    service.style.setProperty("--service", waterfall.colourOf(name ?? ""));
    writeName(service, name || "Unknown parent");
    bar.append(
      service,
      element("span", "stretch"),
      button("icon", "↑", "Previous row (k)", () => waterfall.move(-1)),
      button("icon", "↓", "Next row (j)", () => waterfall.move(1)),
      button("icon close", "×", "Close (Esc)", () => waterfall.closeDrawer()),
    );
    return bar;
  }

  // --- a span ---------------------------------------------------------------------------------

  ofSpan(span) {
    const { whole } = span;
    const parts = [element("h3", "title", cleanText(span.name)), this.warningsOf(span), this.actsOf(span), this.factsOf(span)];
    if (!whole) {
      parts.push(element("p", "note", span.wholeError ? `Attributes and events cannot be read: ${cleanText(span.wholeError)}.` : "Loading attributes and events …"));
    } else {
      parts.push(this.attributes({ metadata: whole.attributes, source: span.service, environment: span.environment }));
      parts.push(...this.eventsOf(span, whole.events ?? []), ...this.linksOf(whole.links ?? []));
    }
    parts.push(...this.linesOf(span));
    return parts;
  }

  warningsOf(span) {
    const { trace } = this.waterfall;
    const box = element("div", "warnings");
    const add = (shape, severity, words) => {
      const made = box.appendChild(element("p", "", `${shape} ${words}`));
      made.style.setProperty("--colour", `var(--severity-${severity})`);
    };
    if (span.isError) add("⊗", "error", span.statusMessage ? cleanText(span.statusMessage) : "This span failed.");
    for (const words of span.warnings) add("▲", "warn", sentence(words));
    if (span.isDerived) add("▨", "info", "Made from log lines: start and parent are guessed.");
    if (span.shift) {
      const moved = `${durationWords(Math.abs(span.shift))} ${span.shift > 0 ? "later" : "earlier"}`;
      add("◷", "info", trace.isCorrected ? `Shown ${moved} than it was sent: its clock was off.` : `Its clock seems off: corrected it would be ${moved}.`);
    }
    return box;
  }

  actsOf(span) {
    const { waterfall } = this;
    const acts = element("div", "actions");
    const { head, source } = waterfall;
    acts.append(
      head.copier("Copy link", "Copy a link to this span", () => linkToTrace(waterfall)),
      head.copier("Copy JSON", "Copy the whole span as JSON", () => JSON.stringify(span.whole ?? span.told, null, 2)),
      head.copier("Copy id", "Copy the span's id", () => span.id),
      button("small", "Zoom", "Show the time of this span (z)", () => waterfall.zoomTo(span.start, span.end)),
      button("small", "Traces like this", "Traces with a span of this service and operation", () =>
        waterfall.tell({ kind: "like", service: span.service, operation: span.name })),
    );
    if (!source.trace) acts.replaceChildren();
    return acts;
  }

  factsOf(span) {
    const { trace, clock } = this.waterfall;
    const list = element("dl", "facts");
    const add = (name, value, key = "", raw = value) => {
      const cell = element("dd");
      cell.append(element("span", "value", cleanText(value)), this.leafTools(String(raw), "", key));
      list.append(element("dt", "", name), cell);
    };
    add("Service", span.service, "service");
    add("Operation", span.name, "operation");
    add("Kind", span.kind, "kind");
    add("Status", span.statusMessage ? `${span.status}: ${span.statusMessage}` : span.status);
    const ms = trace.msAt(span.start);
    add("Start", `+${durationWords(span.start - trace.from)}, ${clock.full(ms)}`, "", span.told.startUnixNano);
    const share = trace.duration > 0 ? `, ${percentWords(Math.max(0, span.duration), trace.duration)} of the trace` : "";
    add("Duration", `${durationWords(span.duration)}${share}`, "", span.duration);
    add("Own time", `${durationWords(span.self)}, ${percentWords(span.self, Math.max(0, span.duration))} of the span`, "", span.self);
    const critical = span.critical.reduce((sum, [from, to]) => sum + to - from, 0);
    if (trace.hasCriticalPath) add("Critical path", critical ? `${durationWords(critical)} of it decide the trace's length` : "not on it", "", critical);
    const longer = longerThan(span.steps, span.duration);
    if (longer) add("Compared", longer);
    add("Environment", span.environment);
    add("Span", span.id);
    if (span.parentId) add("Parent", span.parent?.kindOfNode === "unknown" ? `${span.parentId} (has not arrived)` : span.parentId);
    return list;
  }

  eventsOf(span, events) {
    if (!events.length) return [];
    const parts = [element("h4", "", `Events (${thousands(events.length)})`)];
    for (const event of events.slice(0, 200)) {
      const moment = nanoOf(event.timeUnixNano);
      const at = moment === null ? null : this.waterfall.trace.after(moment) - span.sent;
      parts.push(this.fold(`${cleanText(event.name ?? "event")}`, at === null ? "" : `+${durationWords(at)}`, event.attributes, span, event.name === "exception"));
    }
    return parts;
  }

  fold(name, after, attributes, span, isOpen) {
    const details = element("details", "event");
    details.open = isOpen;
    const summary = details.appendChild(element("summary"));
    summary.append(element("span", "name", name), element("span", "size", after));
    const has = attributes && Object.keys(attributes).length;
    details.append(has ? this.tree(attributes, { source: span?.service, environment: span?.environment }, null) : element("p", "note", "No attributes."));
    return details;
  }

  linksOf(links) {
    if (!links.length) return [];
    const parts = [element("h4", "", `Links (${thousands(links.length)})`)];
    for (const { traceId, spanId, attributes } of links.slice(0, 100)) {
      const row = element("div", "linked");
      const isHere = traceId === this.waterfall.traceId;
      row.append(
        element("span", "value", `${isHere ? "this trace" : cleanText(traceId ?? "")} · ${cleanText(spanId ?? "")}`),
        button("small", isHere ? "Go to span" : "Open trace", isHere ? "Select that span" : "Open the trace that is linked", () =>
          isHere ? this.waterfall.openKey(spanId) : this.waterfall.tell({ kind: "trace", value: traceId, span: spanId ?? "" })),
      );
      parts.push(row);
      if (attributes && Object.keys(attributes).length) parts.push(this.tree(attributes, {}, null));
    }
    return parts;
  }

  linesOf(node) {
    if (!node.lines.length) return [];
    const list = element("div", "its-lines");
    for (const one of node.lines.slice(0, 200)) {
      const row = list.appendChild(button("its-line", "", "Open this line", () => this.waterfall.open(one)));
      row.append(severityMark(one.line.severity), element("span", "size", `+${durationWords(one.at - this.waterfall.trace.from)}`));
      writeName(row.appendChild(element("span", "message")), one.line.message.slice(0, 300));
    }
    return [element("h4", "", `Log lines (${thousands(node.lines.length)})`), list];
  }

  // --- what is no span -------------------------------------------------------------------------

  ofNobody(node) {
    const words = node.kindOfNode === "unknown"
      ? `${plural(node.children.length, "span")} of this trace ${node.children.length === 1 ? "names" : "name"} ${cleanText(node.id)} as the parent, and no such span has arrived. It may still be on its way, was not sampled, or its sender is not connected.`
      : "These lines name this trace, but no span of it.";
    return [element("p", "note", words), ...this.linesOf(node)];
  }

  ofLine({ line, at, span }) {
    const { waterfall } = this;
    const acts = element("div", "actions");
    acts.append(
      waterfall.head.copier("Copy message", "Copy the message as it was sent", () => line.message),
      waterfall.head.copier("Copy JSON", "Copy the whole line as JSON", () => JSON.stringify(line, null, 2)),
      button("small", "Open in Explore", "This line among the others of its trace", () => waterfall.explore(line.id)),
    );
    if (span.kindOfNode === "span") acts.append(button("small", "Its span", "Open the span it was written in", () => waterfall.open(span)));
    const list = element("dl", "facts");
    const add = (name, value) => list.append(element("dt", "", name), element("dd", "", value));
    list.append(element("dt", "", "Severity"));
    list.appendChild(element("dd")).append(severityMark(line.severity));
    add("Time", `+${durationWords(at - waterfall.trace.from)}, ${waterfall.clock.full(readTime(line.createdAt).ms)}`);
    add("Environment", cleanText(line.environment));
    return [this.message(line), acts, list, this.attributes(line)];
  }

  ofException({ owner, type, message, at }) {
    const acts = element("div", "actions");
    acts.append(button("small", "Its span", "Open the span it was thrown in", () => this.waterfall.open(owner)));
    const box = this.message({ message: message ? `${type}: ${message}` : type });
    return [box, acts, element("p", "note", `+${durationWords(at - this.waterfall.trace.from)}, in ${cleanText(owner.name)}. The span's events have its stack trace.`)];
  }

  // Copy always; filters only for what a search of traces can say.
  leafTools(value, field, key = "") {
    const tools = element("span", "leaf-tools");
    const { waterfall } = this;
    const name = key || (field === "service" ? "service" : "");
    if (name) {
      const ask = (isExcluded) => () => waterfall.tell({ kind: "filter", key: name, value, isExcluded });
      tools.append(
        button("tool", "only", `Only traces with ${name} ${value}`, ask(false)),
        button("tool", "hide", `Hide traces with ${name} ${value}`, ask(true)),
      );
    }
    const copy = button("tool", "copy", "Copy this value", async () => {
      copy.textContent = (await copyText(value)) ? "copied" : "failed";
      setTimeout(() => (copy.textContent = "copy"), 1200);
    });
    tools.append(copy);
    return tools;
  }
}

// `longer than 97 % of its kind in 24 h (8,120 spans)`; "" when too few are known to say so.
function longerThan(steps, duration) {
  const counted = Object.entries(steps ?? {}).map(([step, count]) => [Number(step), count]);
  const total = counted.reduce((sum, [, count]) => sum + count, 0);
  if (total < 20) return "";
  const own = duration < 1000 ? -1 : Math.floor(Math.log2(duration / 1000) * STEPS_PER_DOUBLING);
  const shorter = counted.reduce((sum, [step, count]) => sum + (step < own ? count : 0), 0);
  return `longer than ${percentWords(shorter, total)} of its kind in 24 h (${plural(total, "span")})`;
}
