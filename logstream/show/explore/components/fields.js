// Every attribute as a row; opened, its values can be clicked as in the facets.

const INLINE = 4; // values named beside the attribute

class Fields {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ open: new Set(), sought: "" }));
    const bar = root.appendChild(element("div", "bar"));
    this.total = bar.appendChild(element("span", "total"));
    this.looked = bar.appendChild(element("span", "muted"));
    bar.append(searchBox("Part of a name or value", this.memory, () => this.draw()));
    this.list = root.appendChild(element("div", "list"));
    setRole(this.list, "list", "Attributes");
    this.none = root.appendChild(element("div", "muted none"));
    this.values = new ValueRows((asked) => this.tell(asked));
    this.rows = new Rows(root, ".list", ".field > .line");
    this.valueRows = new Rows(root, ".values", ".value", { o: ".only", x: ".exclude" });
  }

  update(data) {
    this.data = data;
    this.values.palette = data.palette;
    this.draw();
  }

  draw() {
    const { fields, looked, total } = this.data;
    write(this.total, plural(fields.length, "attribute"));
    const few = looked < total;
    write(this.looked, few ? `of the newest ${thousands(looked)} of ${plural(total, "line")}` : `of all ${plural(total, "line")}`);
    const text = this.memory.sought.trim().toLowerCase();
    const found = fields.filter((one) => !text || one.title.toLowerCase().includes(text) || one.values.some(([value]) => value.toLowerCase().includes(text)));
    arrange(this.list, found, ({ field }) => field, () => this.make(), (row, one) => this.drawField(row, one));
    this.rows.keepOneStop(this.list);
    write(this.none, found.length ? "" : "No attribute here has this in its name or values.");
  }

  make() {
    const row = element("div", "field");
    row.setAttribute("role", "listitem");
    const line = row.appendChild(element("div", "line"));
    const field = () => row.dataset.key;
    const fold = button("fold", "", "", () => {
      const { open } = this.memory;
      if (!open.delete(field())) open.add(field());
      this.draw();
    });
    fold.append(element("span", "arrow"), element("span", "name title"));
    const coverage = element("span", "coverage");
    const track = element("span", "track");
    track.append(element("i"));
    coverage.append(element("span", "number percent"), track);
    const some = element("span", "some");
    line.append(
      fold,
      element("span", "muted kind"),
      coverage,
      element("span", "number distinct"),
      some,
      button("small pin", "Pin", "", () => this.tell({ kind: "pin", field: field() })),
    );
    const values = row.appendChild(element("div", "values"));
    values.setAttribute("role", "group");
    row.append(element("div", "muted rest"));
    return row;
  }

  drawField(row, one) {
    const { field, title, lines, kind, distinct, values, isPinned } = one;
    const { looked } = this.data;
    const part = (name) => row.querySelector(name);
    const isOpen = this.memory.open.has(field);
    writeName(part(".title"), title);
    setTitle(part(".title"), cleanText(title).slice(0, 500));
    write(part(".arrow"), isOpen ? "▾" : "▸");
    part(".fold").setAttribute("aria-expanded", String(isOpen));
    part(".fold").setAttribute("aria-label", `${title}, ${kind}, in ${percentWords(lines, looked)} of the lines, ${plural(distinct, "value")}`);
    write(part(".kind"), kind);
    write(part(".percent"), percentWords(lines, looked));
    setTitle(part(".coverage"), `${plural(lines, "line")} of ${thousands(looked)} carry it`);
    setShare(part(".coverage i"), looked ? lines / looked : 0);
    write(part(".distinct"), plural(distinct, "value"));
    write(part(".pin"), isPinned ? "Pinned" : "Pin");
    part(".pin").setAttribute("aria-pressed", String(isPinned));
    part(".pin").setAttribute("aria-label", `${isPinned ? "Unpin" : "Pin"} ${title}`);
    setTitle(part(".pin"), isPinned ? "No longer keep it among the fields at the left" : "Keep it among the fields at the left");
    this.drawSome(part(".some"), isOpen ? [] : values, one);
    part(".values").setAttribute("aria-label", title);
    const rows = isOpen ? values.map(([value, count]) => ({ value, label: value, count, isOnly: one.only.includes(value), isOut: one.excluded.includes(value) })) : [];
    arrange(part(".values"), rows, ({ value }) => value, () => this.values.make(field), (made, value) => this.values.draw(made, value, { field, title, total: looked }));
    this.valueRows.keepOneStop(part(".values"));
    const beyond = distinct - values.length;
    write(part(".rest"), isOpen && beyond > 0 ? `and ${plural(beyond, "more value")}, each less frequent` : isOpen && !values.length ? "Lists and objects: no search can name their values." : "");
  }

  drawSome(target, values, { field }) {
    arrange(target, values.slice(0, INLINE), ([value]) => value, ([value]) => {
      const made = button("some-value", "", "", () => this.tell({ kind: "toggle", field, value }));
      made.tabIndex = -1;
      made.append(element("span", "name"), element("span", "muted"));
      return made;
    }, (made, [value, count]) => {
      writeName(made.firstChild, value === "" ? "(empty)" : value);
      write(made.lastChild, thousands(count));
      setTitle(made, `Show the lines with ${cleanText(value).slice(0, 300)}`);
    });
  }
}

export default mounted((root, data) => new Fields(root, data));
