// The rows of a live feed hold still while somebody reads. What it needs of the feed (feed.js) are
// its store, list, drawer, source and player.

class Pausing extends LineView {
  // --- pausing ------------------------------------------------------------------------------

  pause(reason) {
    this.store.pause(reason);
    this.schedule();
  }

  resume() {
    this.root?.getSelection?.()?.removeAllRanges();
    this.store.resume();
    if (this.list) {
      this.list.anchor = this.list.sought = null;
      this.list.scrollTo(this.list.newestScrollTop);
    }
    this.schedule();
  }

  togglePause() {
    if (this.player.isOn) this.player.toggle();
    else if (this.store.isPaused) this.resume();
    else this.pause("button");
  }

  scrolled() {
    const { list } = this;
    this.head.follow();
    const wasAtNewest = list.isAtNewest;
    if (!list.noteScroll()) return;
    if (!list.isAtNewest) this.pause("scroll");
    else if (!wasAtNewest && this.store.isPaused && !this.drawer.isOpen && !this.hasSelection()) this.resume();
    this.schedule();
  }

  // A wheel that leads away pauses before it has moved anything: arrivals must not fight it.
  wheeled(event) {
    const isAway = this.list.isNewestLast ? event.deltaY < 0 : event.deltaY > 0;
    if (isAway && !event.ctrlKey && this.list.overflows) this.pause("scroll");
  }

  // Several publishers sort their lines only among themselves.
  heard({ publisher }) {
    if (!publisher) return;
    const now = performance.now();
    this.publishers.set(publisher, now);
    for (const [name, heardMs] of this.publishers) if (now - heardMs > 60_000) this.publishers.delete(name);
    this.store.settleMs = this.publishers.size > 1 ? SETTLE_SEVERAL_MS : SETTLE_MS;
  }

  // A line of the spool got its own id: its row, selected or open, stays the same row.
  landed(ours, id) {
    const el = this.list?.drawn.get(ours);
    if (el) {
      this.list.drawn.delete(ours);
      this.list.drawn.set(id, el);
      el.dataset.id = id;
    }
    if (this.selectedId === ours) this.selectedId = id;
    if (this.openId !== ours) return;
    this.openId = this.drawer.id = id;
    this.drawer.draw(this.store.byId.get(id).line);
    writeUrl(this);
  }

  playFrom(line) {
    this.closeLine();
    this.resume();
    this.player.seek(readTime(line.observedAt).ms, this.player.lastSpeed);
  }

  // To the first (−1) or last line on screen's end; at the newest end the feed goes on.
  moveToEnd(direction) {
    const isNewest = (direction < 0) !== this.list.isNewestLast;
    if (isNewest && !this.drawer.isOpen) {
      this.selectedId = null;
      this.resume();
    } else {
      this.select(direction < 0 ? 0 : this.list.count - 1);
    }
  }
}
