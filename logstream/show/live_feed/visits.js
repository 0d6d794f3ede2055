// "Since your last visit": the moment this browser last had a feed in view, whatever the filter,
// as a line between the rows. It stays until it is dismissed or the next visit begins.

const AWAY_MS = 5 * 60_000;
const SEEN_EVERY_MS = 5000;
const VISIT_PREFERENCE = "logstream.seen";

class Visit {
  constructor(feed) {
    this.feed = feed;
    this.mark = null; // the key that stands between seen and new
    this.count = ""; // lines after it, in words
    this.countedFor = "";
    this.writtenMs = 0;
    this.begin();
  }

  // Called whenever the page comes into view, before `see`.
  begin() {
    // By the browser's clock, and by the service's, which the lines know.
    const [seen, ms] = (readPreference(VISIT_PREFERENCE) ?? "").split(" ").map(Number);
    if (!seen || !ms || Date.now() - seen < AWAY_MS) return;
    this.mark = { ms, nanos: 0, id: 0 };
    this.count = this.countedFor = "";
    this.isReached = false;
    this.beganMs = ms + (Date.now() - seen);
  }

  see() {
    if (document.hidden || Date.now() - this.writtenMs < SEEN_EVERY_MS) return;
    this.writtenMs = Date.now();
    writePreference(VISIT_PREFERENCE, `${this.writtenMs} ${this.writtenMs + pageClock.skewMs}`);
  }

  dismiss() {
    this.mark = null;
    this.feed.store.version++;
    this.feed.schedule();
  }

  // The lines that came between the visits are counted once a filter; what comes now is read.
  async recount() {
    const { feed } = this;
    const { source, filter } = feed;
    const key = `${this.mark?.ms}|${source.generation}`;
    if (!this.mark || !source.hasLoaded || key === this.countedFor) return;
    this.countedFor = key;
    this.count = "";
    const end = Math.max(this.beganMs, this.mark.ms + 1);
    const [from, to] = windowOf(filter, clockNow());
    if ((to && to.ms < this.mark.ms) || source.isPlayback) return;
    const start = Math.max(this.mark.ms, from?.ms ?? 0);
    const url = { ...filter.url, from: new Date(start).toISOString(), to: new Date(Math.min(end, to?.ms ?? end)).toISOString() };
    delete url.range;
    let words;
    try {
      words = thousands(await source.counted(url));
    } catch {
      const { rows } = feed.store;
      words = `more than ${thousands(rows.length - lowerBound(rows, this.mark))}`;
    }
    if (key !== this.countedFor) return;
    this.count = words;
    feed.schedule();
  }

  get hasNews() {
    return this.mark !== null && !this.isReached && this.count !== "" && this.count !== "0";
  }

  words() {
    const { clock } = this.feed;
    const moment = `${clock.date(this.mark.ms)} ${clock.time(this.mark.ms).slice(0, 5)}`;
    const lines = this.count ? `: ${this.count} ${this.count === "1" ? "line" : "lines"} while you were away` : "";
    return `Since your last visit, ${moment}${lines}`;
  }

  jump() {
    if (!this.mark) return;
    const { feed } = this;
    this.isReached = true;
    feed.pause("line");
    // Too far back to read on to it: the filter goes to that time.
    const onMissing = () => feed.source.hasAllOlder || feed.ask("time", "range", new Date(this.mark.ms).toISOString());
    feed.list.sought = { ...this.mark, onMissing };
    feed.schedule();
  }
}
