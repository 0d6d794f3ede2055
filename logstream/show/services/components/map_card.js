// What is known of the service that is chosen: its numbers, whom it calls and who calls it.

const MOST_ROWS = 8;

class MapCard {
  // `acts` has {open, focus, choose, go}, each told a service.
  constructor(root, acts) {
    this.acts = acts;
    this.box = root.appendChild(element("div", "card"));
    setRole(this.box, "region", "The service that is chosen");
    const head = this.box.appendChild(element("div", "head"));
    this.name = head.appendChild(element("span", "name"));
    head.append(button("close", "✕", "Close", () => acts.choose(null)));
    this.kind = this.box.appendChild(element("div", "muted"));
    this.facts = this.box.appendChild(element("div", "numbers"));
    const row = this.box.appendChild(element("div", "acts"));
    this.open = button("small open", "Open", "Show everything about this service", () => acts.open(this.shown));
    this.focus = button("small focus", "Focus", "Show this service and its neighbours only", () => acts.focus(this.shown));
    row.append(this.open, this.focus);
    this.links = ["traces", "explore"].map((page) => {
      const made = link({ traces: "Traces", explore: "Lines" }[page], () => acts.go(page, this.shown));
      row.append(made);
      return [page, made];
    });
    this.sides = ["Called by", "Calls"].map((title) => {
      const side = this.box.appendChild(element("div", "side"));
      side.append(element("div", "title", title), element("div", "list"), element("div", "muted rest"));
      return side;
    });
  }

  // `href(page, service)` is where a link leads.
  draw(node, { nodes, edges, seconds, palette, focus }, href) {
    this.box.hidden = !node;
    if (!node) return;
    this.shown = node.name;
    writeName(this.name, node.name);
    setTitle(this.name, cleanText(node.name).slice(0, 500));
    this.name.style.setProperty("--colour", node.isKnown ? palette[colourIndex(node.name, palette.length)] : "var(--muted)");
    write(this.kind, { service: "service", database: "database, as its callers tell of it", queue: "queue, as its users tell of it" }[node.kind] ?? node.kind);
    const words = [
      ["rate", rateWords(node.calls, seconds)],
      ["errors", shareWords(node.errors, node.calls)],
      ["p95", msWords(node.p95Ms)],
    ];
    arrange(this.facts, words, ([title]) => title, ([title]) => {
      const fact = element("div", "fact");
      fact.append(element("span", "muted", title), element("b"));
      return fact;
    }, (fact, [, value]) => write(fact.lastChild, value));
    this.open.hidden = !node.isKnown;
    this.focus.hidden = focus?.service === node.name;
    for (const [page, made] of this.links) {
      made.hidden = !node.isKnown;
      made.href = href(page, node.name);
    }
    const known = new Set(nodes.map(({ name }) => name));
    const busiest = (calls) => [...calls].sort((a, b) => b.calls - a.calls);
    this.drawSide(this.sides[0], busiest(edges.filter(({ target }) => target === node.name)), "source", seconds, known);
    this.drawSide(this.sides[1], busiest(edges.filter(({ source }) => source === node.name)), "target", seconds, known);
  }

  drawSide(side, calls, end, seconds, known) {
    side.hidden = !calls.length;
    const shown = calls.slice(0, MOST_ROWS);
    arrange(side.children[1], shown, callKey, () => {
      const row = button("line", "", "", () => this.acts.choose(row.other));
      row.append(element("span", "name"), element("span", "muted facts"));
      return row;
    }, (row, call) => {
      row.other = call[end];
      writeName(row.firstChild, call[end]);
      const kind = call.kind === "messaging" ? " · messages" : call.kind === "derived" ? " · same trace" : "";
      write(row.lastChild, factWords(call, seconds) + kind);
      row.disabled = !known.has(call[end]);
    });
    write(side.lastChild, calls.length > shown.length ? `and ${thousands(calls.length - shown.length)} more` : "");
  }
}
