// One line in full, over the right side of the page.

const STACK_LINES = 12;
const FOLDED_CHARACTERS = 8000;

class Drawer {
  constructor(el, feed) {
    this.el = el;
    this.feed = feed;
    this.id = null;
    this.neighbours = new Neighbours(feed);
  }

  get isOpen() {
    return this.id !== null;
  }

  // `line` may be null: then it is fetched; lines that a frame cut are fetched whole.
  async open(id, line) {
    this.id = id;
    this.show();
    if (line) this.draw(line);
    else this.say("Loading line …");
    if (line && line.messageBytes === undefined && line.metadataBytes === undefined) return;
    try {
      const whole = await this.feed.source.line(id);
      if (this.id === id) this.draw(whole);
    } catch (error) {
      if (this.id !== id) return;
      if (error.status === 404) {
        this.say(`${error.message.charAt(0).toUpperCase()}${error.message.slice(1)}.`);
      } else if (!line) {
        this.say(`Line ${id} could not be read: ${error.message}.`);
      }
    }
  }

  show() {
    const { el } = this;
    if (!el.hidden || !el.isConnected) return; // the page may be left just now
    el.hidden = false;
    if (el.showPopover && !el.matches(":popover-open")) el.showPopover();
  }

  close() {
    this.id = null;
    this.line = null;
    if (this.el.hidden) return;
    if (this.el.hidePopover && this.el.matches(":popover-open")) this.el.hidePopover();
    this.el.hidden = true;
    this.el.replaceChildren();
  }

  say(words) {
    this.line = null;
    this.el.replaceChildren(this.bar(), element("p", "note", words));
  }

  bar(line) {
    const { feed } = this;
    const bar = element("div", "drawer-bar");
    if (line) {
      const severity = element("span", "severity");
      severity.dataset.severity = line.severity;
      const icon = severityIcon();
      drawSeverity(icon, line.severity);
      severity.append(icon, element("span", "", line.severity));
      const service = element("span", "service", line.source);
      service.style.color = feed.serviceColour(line.source);
      bar.append(severity, service);
    } else {
      bar.append(element("span", "service", `Line ${this.id}`));
    }
    bar.append(
      element("span", "stretch"),
      button("icon", "↑", "Previous line (k)", () => feed.move(-1)),
      button("icon", "↓", "Next line (j)", () => feed.move(1)),
      button("icon close", "×", "Close (Esc)", () => feed.closeLine()),
    );
    return bar;
  }

  draw(line) {
    this.line = line;
    const scrolled = this.el.querySelector(".drawer-body")?.scrollTop ?? 0;
    const sameLine = this.drawnId === line.id;
    this.drawnId = line.id;
    const body = element("div", "drawer-body");
    body.append(this.message(line), this.actions(line), this.facts(line), this.attributes(line));
    if (line.id > 0) body.append(this.neighbours.section(line));
    this.el.replaceChildren(this.bar(line), body);
    body.scrollTop = sameLine ? scrolled : 0;
  }

  message(line) {
    const box = element("div", "whole");
    const text = cleanText(line.message);
    const pre = element("pre", text.includes("\n") ? "code lines" : "code");
    pre.tabIndex = 0;
    box.append(pre, ...this.folding(pre, text, STACK_LINES));
    if (line.messageBytes !== undefined) {
      box.append(element("p", "note", `Cut for the feed; the message has ${thousands(line.messageBytes)} bytes. Loading …`));
    }
    return box;
  }

  // Fills `pre` with the beginning; gives the button that shows the rest, if any.
  folding(pre, text, count) {
    const marked = (part) => pre.replaceChildren(markedNodes(part, this.feed.filter.text.marks));
    const { text: lines, hidden } = foldText(text, count);
    const isLong = text.length > FOLDED_CHARACTERS;
    if (hidden < 3 && !isLong) {
      marked(text);
      return [];
    }
    const head = lines.slice(0, FOLDED_CHARACTERS) + (lines.length > FOLDED_CHARACTERS ? "…" : "");
    const whole = hidden ? `all ${plural(hidden + count, "line")}` : `all ${plural(text.length, "character")}`;
    marked(head);
    let isFolded = true;
    const toggle = button("link", `Show ${whole}`, "Fold or unfold", () => {
      isFolded = !isFolded;
      marked(isFolded ? head : text);
      toggle.textContent = isFolded ? `Show ${whole}` : "Show the beginning only";
    });
    return [toggle];
  }

  actions(line) {
    const bar = element("div", "actions");
    if (line.traceId) {
      const link = traceLink("action open-trace", "Open trace", this.feed, line);
      link.title = "Show where the time of this request went, and who called whom";
      bar.append(link);
    }
    const copier = (label, title, text) => {
      const made = button("action", label, title, async () => {
        made.textContent = (await copyText(text())) ? "Copied" : "Copy failed";
        setTimeout(() => (made.textContent = label), 1200);
      });
      return made;
    };
    bar.append(
      copier("Copy message", "Copy the message as it was sent", () => line.message),
      copier("Copy JSON", "Copy the whole line as JSON", () => JSON.stringify(line, null, 2)),
      copier("Copy link", "Copy a link that opens this line", () => linkTo(this.feed, line.id)),
    );
    bar.append(
      button("action", "Show around", `Show every line of ${line.environment} around this one, without the filters`, () =>
        this.feed.showAroundLine(line)),
    );
    for (const [label, title, onClick] of this.feed.actionsFor(line)) bar.append(button("action", label, title, onClick));
    if (line.traceId) {
      bar.append(
        button("action", "Lines of this trace", "Show every line of this trace", () =>
          this.feed.ask("trace", "trace", line.traceId)),
      );
    }
    return bar;
  }

  facts(line) {
    const { clock } = this.feed;
    const list = element("dl", "facts");
    const add = (name, value, field, raw = value) => {
      const term = element("dt", "", name);
      const cell = element("dd");
      cell.append(element("span", "value", value), this.leafTools(String(raw), field));
      list.append(term, cell);
    };
    const time = readTime(line.createdAt).ms;
    const received = readTime(line.observedAt).ms;
    add("Time", clock.full(time), "", line.createdAt);
    if (clock.zone !== "UTC") add("UTC", line.createdAt, "");
    add("Age", ageWords(time, Date.now()), "", line.createdAt);
    const delay = received - time;
    const late = Math.abs(delay) < 1000 ? "" : delay > 0 ? `, ${lagWords(delay)} after` : `, ${lagWords(-delay)} before`;
    add("Received", `${clock.full(received)}${late}`, "", line.observedAt);
    add("Severity", `${line.severityText && line.severityText !== line.severity ? `${line.severityText} → ` : ""}${line.severity} (${line.severityNumber})`, "severity", line.severity);
    add("Service", line.source, "service");
    add("Environment", line.environment, "env");
    if (line.traceId) add("Trace", line.traceId, "trace");
    if (line.spanId) add("Span", line.spanId, "");
    if (line.latency !== null && line.latency !== undefined) add("Latency", `${line.latency} ms`, "", line.latency);
    add("Line", line.id > 0 ? String(line.id) : "in the spool, no id yet", "");
    return list;
  }

  attributes(line) {
    const box = element("div", "attributes");
    const names = Object.keys(line.metadata ?? {});
    if (line.metadataBytes !== undefined) {
      box.append(element("p", "note", `${thousands(line.metadataBytes)} bytes of attributes. Loading …`));
    } else if (!names.length) {
      box.append(element("p", "note", "No attributes."));
    } else {
      box.append(element("h4", "", "Attributes"), this.tree(line.metadata, line, []));
    }
    return box;
  }

  // `path`: names from the outside in; null where no search leads, as into an array.
  tree(value, line, path, depth = 0) {
    const list = element("ul", "tree");
    const entries = Object.entries(value);
    for (const [name, child] of entries.slice(0, 200)) {
      const item = element("li");
      const inner = path && !Array.isArray(value) ? [...path, name] : null;
      if (child !== null && typeof child === "object" && Object.keys(child).length) {
        const details = element("details");
        details.open = depth < 2;
        const count = Object.keys(child).length;
        const summary = element("summary");
        summary.append(element("span", "name", cleanText(name)), element("span", "size", Array.isArray(child) ? `[${count}]` : `{${count}}`));
        details.append(summary);
        if (depth < 30) {
          // Drawn when first opened: deep trees stay cheap.
          const fill = () => details.childElementCount < 2 && details.append(this.tree(child, line, inner, depth + 1));
          if (details.open) fill();
          else details.ontoggle = fill;
        } else {
          details.append(element("pre", "code", JSON.stringify(child)));
        }
        item.append(details);
      } else {
        item.append(this.leaf(name, child, line, inner));
      }
      list.append(item);
    }
    if (entries.length > 200) list.append(element("li", "note", `${thousands(entries.length - 200)} more; use Copy JSON`));
    return list;
  }

  leaf(name, value, line, path) {
    const row = element("div", "leaf");
    const text = typeof value === "string" ? value : JSON.stringify(value);
    const isText = typeof value === "string";
    row.append(element("span", "name", cleanText(name)));
    if (isText && text.includes("\n")) {
      row.classList.add("tall");
      const pre = element("pre", "code");
      row.append(this.leafTools(text, "", "", columnKey(path)), pre, ...this.folding(pre, cleanText(text), 4));
      return row;
    }
    const shown = element("span", `value ${value === null ? "null" : typeof value}`, cleanText(text));
    const field = attributeField(name, text, line) || (isText ? "q" : "");
    row.append(shown, this.leafTools(text, field, attributeKey(path, value), columnKey(path)));
    return row;
  }

  addPin(add, service) {
    const isPinned = this.feed.pinned.includes(service);
    add(isPinned ? "unpin" : "pin", isPinned ? `Unpin ${service}` : `Pin ${service} to the filter bar`, () =>
      this.feed.ask("pin", "service", service));
  }

  // Copy always; filter buttons only for what a filter can express.
  leafTools(value, field, key = "", column = "") {
    const { feed } = this;
    const tools = element("span", "leaf-tools");
    const add = (label, title, onClick) => tools.append(button("tool", label, title, onClick));
    if (key && (field === "q" || !field)) {
      const ask = (kind) => () => feed.ask(kind, `attribute:${key}`, value);
      add("only", `Show only lines with ${key} ${value}`, ask("filter"));
      add("hide", `Hide lines with ${key} ${value}`, ask("exclude"));
    }
    if (field === "q") {
      if (value.length > 1 && value.length <= 200) {
        add("search", `Search messages for “${value}”`, () => feed.ask("filter", "q", value));
      }
    } else if (field === "trace") {
      add("only", "Show only this trace", () => feed.ask("filter", "trace", value));
    } else if (field) {
      add("only", `Show only ${value}`, () => feed.ask("filter", field, value));
      add("hide", `Hide ${value}`, () => feed.ask("exclude", field, value));
      if (field === "service") this.addPin(add, value);
    }
    if (column) {
      add("column", `Show ${column} as a column`, () => {
        feed.look.add(`@${column}`);
        if (feed.isNarrow) feed.closeLine();
      });
    }
    const copy = button("tool", "copy", "Copy this value", async () => {
      copy.textContent = (await copyText(value)) ? "copied" : "failed";
      setTimeout(() => (copy.textContent = "copy"), 1200);
    });
    tools.append(copy);
    return tools;
  }
}

// Attributes that repeat a promoted field can be filtered like it.
function attributeField(name, text, line) {
  if (/^trace[._]?id$/i.test(name) && line.traceId) return "trace";
  if (name === "service.name" && text === line.source) return "service";
  if (name.startsWith("deployment.environment") && text === line.environment) return "env";
  return "";
}

// The key of `key:value` in a search that finds this attribute; "" when none can.
function attributeKey(path, value) {
  if (!path || (path.length > 1 && path.some((name) => name.includes(".")))) return "";
  const key = path.join(".");
  const isKey = /^[\p{L}_@][\p{L}\p{N}_.\/@-]*$/u.test(key) && !Object.hasOwn(LABELS, key);
  const isValue = value === null || typeof value !== "object";
  const text = String(value);
  return isKey && isValue && text && text.length <= 200 && !text.includes('"') ? key : "";
}

// The name under which an attribute is a column; "" for what lies in an array.
const columnKey = (path) => (path && path.join(".").length < 200 ? path.join(".") : "");

function lagWords(ms) {
  return ageWords(0, ms).replace(" ago", "");
}
