// The facets: one section a field, one row a value, all of it one component, so that a click is
// one run of the page and nothing flickers.

const FEW = 8; // values shown of a field before somebody asks for more
const SEEK_MS = 250;

class Facets {
  constructor(root, data) {
    this.memory = remembered(data.key, () => ({ open: new Set(), folded: new Set(), sought: new Map() }));
    this.list = root.appendChild(element("div", "fields"));
    this.all = root.appendChild(button("all", "", "Every attribute with its values", () => this.tell({ kind: "fields" })));
    this.all.removeAttribute("aria-label"); // it has words of its own
    this.values = new ValueRows((asked) => this.tell(asked));
    this.rows = new Rows(root, ".values", ".value", { o: ".only", x: ".exclude" });
  }

  end() {
    clearTimeout(this.seeking);
  }

  update(data) {
    this.data = data;
    this.values.palette = data.palette;
    this.draw();
  }

  draw() {
    const { facets, fieldCount } = this.data;
    arrange(this.list, facets, ({ field }) => field, (facet) => this.makeSection(facet), (section, facet) => this.drawSection(section, facet));
    this.all.hidden = fieldCount === null;
    write(this.all, `All ${plural(fieldCount ?? 0, "attribute")}`);
  }

  makeSection({ field }) {
    const section = element("section");
    const head = section.appendChild(element("div", "head"));
    const fold = button("fold", "", "", () => this.toggle(this.memory.folded, field));
    fold.append(element("span", "arrow"), element("span", "name title"), element("span", "muted distinct"));
    const find = button("quiet find", "Find", "Search these values", () => this.find(section, field));
    const pin = button("quiet pin", "Pin", "", () => this.tell({ kind: "pin", field }));
    head.append(fold, element("span", "muted note"), find, pin);
    const search = section.appendChild(element("input", "search"));
    search.type = "search";
    search.maxLength = 100;
    search.placeholder = "Part of a value";
    search.oninput = () => this.sought(field, search.value);
    search.onkeydown = (event) => {
      if (event.key === "Escape") this.find(section, field);
    };
    const values = section.appendChild(element("div", "values"));
    values.setAttribute("role", "group");
    section.append(button("more", "", "", () => this.toggle(this.memory.open, field)));
    return section;
  }

  drawSection(section, facet) {
    const { field, title, distinct, note, isPinned } = facet;
    const { open, folded, sought } = this.memory;
    const part = (name) => section.querySelector(name);
    const isFolded = folded.has(field);
    writeName(part(".title"), title);
    setTitle(part(".title"), title);
    write(part(".distinct"), distinct > 1 ? thousands(distinct) : "");
    write(part(".arrow"), isFolded ? "▸" : "▾");
    part(".fold").setAttribute("aria-expanded", String(!isFolded));
    part(".fold").setAttribute("aria-label", `${title}, ${plural(distinct, "value")}`);
    write(part(".pin"), isPinned ? "Pinned" : "Pin");
    setTitle(part(".pin"), isPinned ? "No longer keep this field on top" : "Keep this field on top, also next time");
    part(".pin").setAttribute("aria-pressed", String(isPinned));
    part(".pin").setAttribute("aria-label", `${isPinned ? "Unpin" : "Pin"} ${title}`);
    part(".find").hidden = distinct <= FEW || isFolded;
    part(".find").setAttribute("aria-label", `Search the values of ${title}`);
    write(part(".note"), note);
    setTitle(part(".note"), note && `Counted: ${note}`);
    part(".search").hidden = isFolded || !sought.has(field);
    part(".search").setAttribute("aria-label", `Search the values of ${title}`);
    const shown = isFolded ? [] : this.shownOf(facet);
    part(".values").setAttribute("aria-label", title);
    arrange(part(".values"), shown.rows ?? [], ({ value }) => value, () => this.values.make(field), (row, value) => this.values.draw(row, value, facet));
    const more = part(".more");
    more.hidden = isFolded || !(shown.hidden || open.has(field));
    const beyond = field === "pattern" ? "on the tab Patterns" : "found by searching";
    const hidden = `${thousands(shown.hidden)} more${shown.beyond ? `, ${thousands(shown.beyond)} ${beyond}` : ""}`;
    write(more, shown.hidden ? hidden : "Fewer");
    if (shown.rows && !shown.rows.length) {
      more.hidden = false;
      write(more, sought.get(field) ? "No such value: clear the search" : "No values");
    }
    this.rows.keepOneStop(part(".values"));
  }

  // What is chosen stands on top, also with no line.
  shownOf({ field, values, only, excluded, distinct, soughtFor }) {
    const rows = values.map(([value, label, count]) => ({ value, label, count, isOnly: only.includes(value), isOut: excluded.includes(value) }));
    const text = (this.memory.sought.get(field) ?? "").toLowerCase();
    const isAsked = text && soughtFor === text;
    const found = text && !isAsked ? rows.filter(({ label, isOnly, isOut }) => isOnly || isOut || label.toLowerCase().includes(text)) : rows;
    const chosen = found.filter((row) => row.isOnly || row.isOut);
    const others = found.filter((row) => !row.isOnly && !row.isOut);
    const most = this.memory.open.has(field) || text ? Infinity : FEW;
    const kept = [...chosen, ...others.slice(0, most)];
    return { rows: kept, hidden: text ? 0 : Math.max(0, found.length - kept.length), beyond: text ? 0 : Math.max(0, distinct - rows.length) };
  }

  toggle(set, field) {
    if (!set.delete(field)) set.add(field);
    this.draw();
  }

  find(section, field) {
    const { sought } = this.memory;
    const search = section.querySelector(".search");
    if (sought.has(field)) {
      search.value = "";
      this.sought(field, "");
      sought.delete(field);
      this.draw();
      section.querySelector(".find").focus();
      return;
    }
    sought.set(field, "");
    this.draw();
    search.focus();
  }

  // Of a field with more values than were sent, Python knows the others.
  sought(field, text) {
    this.memory.sought.set(field, text);
    this.draw();
    const facet = this.data.facets.find((one) => one.field === field);
    if (!facet || (facet.distinct <= facet.values.length && !facet.soughtFor)) return;
    clearTimeout(this.seeking);
    this.seeking = setTimeout(() => this.tell({ kind: "seek", field, value: text }), SEEK_MS);
  }
}

export default mounted((root, data) => new Facets(root, data));
