// Who calls a service and whom it calls, with how often, what went wrong and how long it took.

class Neighbours {
  constructor(root) {
    this.sides = [["callers", "Called by"], ["callees", "Calls"]].map(([key, title]) => {
      const side = root.appendChild(element("div", "side"));
      side.append(element("div", "title", title), element("div", "rows"), element("div", "muted none"));
      const list = side.children[1];
      setRole(list, "list", title);
      return { key, side, list };
    });
    this.rows = new Rows(root, ".rows", ".row");
  }

  update(data) {
    this.data = data;
    for (const { key, side, list } of this.sides) {
      const calls = data[key];
      const most = Math.max(1, ...calls.map((one) => one.calls));
      arrange(list, calls, ({ service, kind }) => JSON.stringify([service, kind]), () => this.makeRow(), (row, one) => this.drawRow(row, one, most));
      this.rows.keepOneStop(list);
      write(side.lastChild, calls.length ? "" : { callers: "No caller was seen in this time.", callees: "It was not seen to call anybody in this time." }[key]);
    }
  }

  makeRow() {
    const row = element("div", "row");
    row.setAttribute("role", "listitem");
    const open = button("open", "", "", () => this.tell({ kind: "open", service: row.one.service }));
    open.append(element("i", "dot"), element("span", "name"), element("span", "muted kind"));
    const track = element("span", "track");
    track.append(element("i"));
    row.append(open, element("span", "number rate"), element("span", "number errors"), element("span", "number p95"), track);
    return row;
  }

  drawRow(row, one, most) {
    const { palette, seconds } = this.data;
    row.one = one;
    const open = row.firstChild;
    const isService = one.nodeKind === "service";
    open.disabled = !one.service || !isService;
    writeName(open.children[1], one.service || "(no name)");
    setTitle(open, cleanText(one.service).slice(0, 500));
    open.firstChild.style.background = isService ? palette[colourIndex(one.service, palette.length)] : "var(--muted)";
    write(open.lastChild, { messaging: "messages", database: "database", derived: "same trace" }[one.kind] ?? "");
    write(row.children[1], rateWords(one.calls, seconds));
    setTitle(row.children[1], plural(one.calls, "call"));
    write(row.children[2], shareWords(one.errors, one.calls));
    row.children[2].classList.toggle("failing", one.errors > 0);
    setTitle(row.children[2], plural(one.errors, "error"));
    write(row.children[3], msWords(one.p95Ms));
    setTitle(row.children[3], "p95");
    setShare(row.querySelector(".track i"), one.calls / most);
  }
}

export default mounted((root) => new Neighbours(root));
