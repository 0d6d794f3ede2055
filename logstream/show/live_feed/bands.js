// Thin bands between rows: lines not loaded here, and where the reader was the last time.

class Bands {
  constructor(feed) {
    this.feed = feed;
    this.made = new Map(); // what a band is about → band
  }

  // Where they stand now, oldest first. A band whose words change is another band.
  all() {
    const { store, visit } = this.feed;
    const found = [];
    for (const gap of store.gaps.all) this.stand(found, gap, gap.newer, () => this.gapWords(gap));
    if (visit.mark) this.stand(found, visit, visit.mark, () => visit.words());
    for (const about of this.made.keys()) if (!found.includes(this.made.get(about))) this.made.delete(about);
    return found.sort((a, b) => a.at - b.at);
  }

  stand(found, about, key, wordsOf) {
    const { rows } = this.feed.store;
    const at = lowerBound(rows, key);
    if (at <= 0 || at >= rows.length) return;
    const words = wordsOf();
    let band = this.made.get(about);
    if (band?.words !== words) {
      band = { words, height: BAND_HEIGHT, build: () => (about === this.feed.visit ? this.visitBand(words) : this.gapBand(about, words)) };
      this.made.set(about, band);
    }
    band.at = at;
    band.mark = `${at}:${words}`;
    found.push(band);
  }

  gapWords(gap) {
    if (gap.problem) return `Could not be loaded: ${gap.problem}`;
    if (gap.isLoading) return "Loading …";
    if (gap.count !== null) return `${plural(gap.count, "line")} not loaded here`;
    return `Lines after ${this.feed.clock.time(gap.older.ms)} are not loaded here`;
  }

  bandOf(kind, words, ...buttons) {
    const el = element("div", `band ${kind}`);
    el.setAttribute("role", "row");
    const cell = element("div", "band-words");
    cell.setAttribute("role", "gridcell");
    cell.append(element("span", "", words), ...buttons);
    el.append(cell);
    return el;
  }

  gapBand(gap, words) {
    const load = () => this.feed.store.gaps.load(gap, this.feed);
    return this.bandOf("gap", words, ...(gap.isLoading ? [] : [button("link", "Load", "Load the newest of them here", load)]));
  }

  visitBand(words) {
    return this.bandOf("visit", words, button("link", "Dismiss", "Dismiss this mark", () => this.feed.visit.dismiss()));
  }
}
