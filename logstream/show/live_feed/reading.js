// What the reader does with the rows of a list of lines (line_view.js), live or found: opens,
// moves, copies. What it needs of the view are its store, list, drawer and source.

const localClock = new Clock("local");

class Reading {
  hasSelection() {
    const selection = this.root?.getSelection ? this.root.getSelection() : document.getSelection();
    return Boolean(
      selection && !selection.isCollapsed && selection.anchorNode && this.scroller.contains(selection.anchorNode),
    );
  }

  // --- one line -----------------------------------------------------------------------------

  clicked(event) {
    const el = event.target.closest(".row");
    if (!el || this.hasSelection() || event.target.closest("a")) return;
    const { row } = el;
    if (event.target.closest(".chip") && this.wrap && row.line.messageBytes === undefined) {
      row.unfolded = !row.unfolded;
      this.pause("line");
      this.list.redraw(row);
      this.schedule();
      return;
    }
    this.openLine(row.id);
  }

  openLine(id) {
    // A line in the spool can be opened while it is loaded; nobody else could follow a link to it.
    if (!Number.isSafeInteger(id) || (id < 1 && !this.store.byId.has(id))) return;
    this.pause("line");
    this.openId = this.selectedId = id;
    this.drawer.open(id, this.store.byId.get(id)?.line);
    writeUrl(this);
    this.schedule();
  }

  // Opened by a link or a neighbour, not from its row: when it is loaded too, it is shown there.
  openElsewhere(id) {
    this.openLine(id);
    this.list.wantedId = id;
  }

  showAroundLine(line) {
    // Among the lines of the filter that is asked for, not of this one.
    this.list.sought = { ...keyOf(line), notIn: this.source.generation };
    this.ask("around", line.environment, line.createdAt);
  }

  closeLine() {
    this.openId = null;
    this.drawer.close();
    this.scroller.focus({ preventScroll: true });
    writeUrl(this);
    this.schedule();
  }

  openSelected() {
    if (this.selectedId !== null) this.openLine(this.selectedId);
  }

  // So many rows down (or up, negative) from the selected one; an open drawer follows.
  move(step) {
    const selected = this.store.byId.get(this.selectedId);
    const from = selected ? this.list.indexOf(selected) : -1;
    this.select(from < 0 ? this.list.firstIndex : from + step);
  }

  movePage(direction) {
    const rows = Math.max(1, Math.floor(this.list.height / this.list.averageHeight) - 1);
    const selected = this.store.byId.get(this.selectedId);
    const from = selected ? this.list.indexOf(selected) : -1;
    this.select(Math.min(this.list.count - 1, Math.max(0, (from < 0 ? this.list.firstIndex : from) + direction * rows)));
  }

  select(index) {
    if (index < 0 || index >= this.list.count) return;
    this.pause("line");
    const row = this.list.rowAt(index);
    this.selectedId = row.id;
    this.list.scrollToRow(row);
    if (this.drawer.isOpen) this.openLine(row.id);
    this.schedule();
  }

  // Of the open line, or the selected one; said where the count stands.
  async copy(what) {
    const line = this.drawer.line ?? this.store.byId.get(this.selectedId)?.line;
    if (!line) {
      this.answer("Select a line first: j or k, or click one");
      return;
    }
    const isCut = line.messageBytes !== undefined || line.metadataBytes !== undefined;
    const whole = isCut && what !== "link" && line.id > 0 ? await this.source.line(line.id).catch(() => line) : line;
    const text = what === "link" ? linkTo(this, line.id) : what === "JSON" ? JSON.stringify(whole, null, 2) : whole.message;
    this.answer((await copyText(text)) ? `Copied the ${what}` : "Copying failed");
  }

  answer(words) {
    this.told = words;
    setText(this.said, words);
    clearTimeout(this.telling);
    this.telling = setTimeout(() => {
      this.told = "";
      this.schedule();
    }, 2000);
    this.schedule();
  }

  explainTime(event) {
    const cell = event.target.closest?.(".time, .received");
    const row = cell?.closest(".row")?.row;
    if (!row) return;
    const received = readTime(row.line.observedAt).ms;
    cell.title = [
      this.clock.full(row.ms),
      `UTC ${row.line.createdAt}`,
      `here ${localClock.full(row.ms)}`,
      ageWords(row.ms, pageClock.now()),
      `received ${this.clock.full(received)}`,
    ].join("\n");
  }
}
