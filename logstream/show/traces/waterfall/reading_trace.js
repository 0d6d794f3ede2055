// Going through the rows: selecting, opening, searching; and the span that the URL names.

class ReadingTrace {
  select(owner) {
    this.selected = owner;
    const place = this.rows.placeOf.get(owner);
    if (place !== undefined) this.list.show(place);
    this.writeUrl();
    this.schedule();
  }

  open(owner) {
    this.rows.reveal(owner.kindOfNode ? owner : { parent: owner.owner ?? owner.span });
    this.select(owner);
    this.drawer.open(owner);
    this.bar.draw();
  }

  openKey(key) {
    const span = this.trace.byKey.get(key) ?? this.trace.byId.get(key)?.[0];
    if (span) this.open(span);
  }

  openSelected() {
    if (this.selected) this.open(this.selected);
  }

  closeDrawer() {
    this.drawer.close();
    this.scroller.focus({ preventScroll: true });
    this.schedule();
  }

  move(by) {
    const { rows, placeOf } = this.rows;
    if (!rows.length || this.tab !== "timeline") return;
    const now = placeOf.get(this.selected) ?? (by > 0 ? -1 : rows.length);
    const row = rows[Math.max(0, Math.min(rows.length - 1, now + by))];
    this.select(row.item ?? row.node);
    if (this.drawer.isOpen) this.drawer.open(this.selected);
  }

  // Unfold; then to the first row inside.
  goIn() {
    const row = this.rows.rows[this.rows.placeOf.get(this.selected)];
    if (!row) return this.move(1);
    if (row.isFoldable && row.isFolded) this.toggle(row.node);
    else if (row.isFoldable) this.move(1);
  }

  // Fold; what cannot be folded leads to its parent.
  goOut() {
    const row = this.rows.rows[this.rows.placeOf.get(this.selected)];
    if (!row) return;
    if (row.isFoldable && !row.isFolded) this.toggle(row.node);
    else if (row.item) this.select(row.node);
    else if (row.node.parent) this.select(row.node.parent);
    if (this.drawer.isOpen) this.drawer.open(this.selected);
  }

  // What lies on top closes first; false when there was nothing to close.
  back() {
    if (this.help.open) this.help.close();
    else if (this.drawer.isOpen) this.closeDrawer();
    else if (this.search.isActive || this.root.getRootNode().activeElement === this.searchBox) {
      this.search.service = "";
      this.look("");
      this.scroller.focus({ preventScroll: true });
    } else if (this.isZoomed && this.tab === "timeline") this.zoomOut();
    else return false;
    return true;
  }

  // --- search -----------------------------------------------------------------------------------

  focusSearch() {
    this.searchBox.focus();
    this.searchBox.select();
  }

  look(text) {
    this.search.text = text;
    this.search.look(this.trace);
    this.head.draw();
    this.bar.draw();
    this.schedule();
  }

  standOut(service) {
    this.search.service = this.search.service === service ? "" : service;
    this.look(this.search.text);
  }

  // From the statistics: the spans of a service, or of one operation of it.
  showOnly(service, operation = "") {
    this.search.service = service;
    this.showTab("timeline");
    this.look(operation);
    this.stepFound(1);
  }

  stepFound(direction) {
    const owner = this.search.step(direction);
    if (!owner) return;
    if (this.tab !== "timeline") this.showTab("timeline");
    this.goTo(owner);
  }

  nextError() {
    const { rows, placeOf } = this.rows;
    const now = placeOf.get(this.selected) ?? -1;
    const order = this.errorsInOrder();
    // The next one below the selected row, folded ones by the row that hides them.
    const placeOfError = (node) => {
      for (let one = node; one; one = one.parent) if (placeOf.has(one)) return placeOf.get(one);
      return rows.length;
    };
    const next = order.find((node) => node !== this.selected && placeOfError(node) > now) ?? order[0];
    if (next) this.goTo(next);
  }

  errorsInOrder() {
    const found = [];
    const stack = [...this.trace.tops].reverse();
    while (stack.length) {
      const node = stack.pop();
      if (node.isError || node.exceptions.length) found.push(node);
      for (let at = node.children.length - 1; at >= 0; at--) stack.push(node.children[at]);
    }
    return found;
  }

  goTo(owner) {
    this.rows.reveal(owner.kindOfNode ? owner : { parent: owner.owner ?? owner.span });
    this.select(owner);
    this.bar.draw();
    if (this.drawer.isOpen) this.drawer.open(owner);
  }

  toggleHelp() {
    if (this.help.open) this.help.close();
    else this.help.showModal();
  }

  // --- the URL and other pages -----------------------------------------------------------------------

  // Selecting needs no rerun: the browser keeps `span` up to date by itself.
  writeUrl() {
    const url = new URL(location.href);
    const before = url.search;
    const span = this.selected?.kindOfNode === "span" ? this.selected : this.selected?.owner ?? this.selected?.span;
    if (span?.kindOfNode === "span") url.searchParams.set("span", span.key);
    else url.searchParams.delete("span");
    if (url.search !== before) history.replaceState(history.state, "", url);
  }

  readUrl() {
    if (!this.trace) return;
    const key = new URL(location.href).searchParams.get("span");
    if (!key || key === this.selected?.key) return;
    const span = this.trace.byKey.get(key) ?? this.trace.byId.get(key.toLowerCase())?.[0];
    if (span) {
      this.rows.reveal(span);
      this.fit();
      this.select(span);
    }
  }

  // The lines of this trace in Explore, in the time they lie in.
  explore(line = 0) {
    const { trace, traceId } = this;
    const moment = (ms) => new Date(ms).toISOString();
    leaveInOneStep(this);
    this.tell({
      kind: "explore",
      value: traceId,
      from: moment(Math.floor(trace.msAt(trace.from) / 1000 - 1) * 1000),
      to: moment(Math.ceil(trace.msAt(trace.to) / 1000 + 1) * 1000),
      line: line ? String(line) : "",
    });
  }
}
