// How much of what came is loaded. Up to FULL_RATE matching lines a second everything is;
// above, the feed keeps the even sample that frames carry, and says so.

const RATE_WINDOW_MS = 5000;
const FULL_RATE = 2000; // matching lines a second
const FEW_IN_FRAME = 200; // so many of one frame are always worth a question
const FEW_WHILE_LIGHT = 20; // on a slow connection
const LEFT_OUT_MS = 60_000; // what can still be loaded
const MOST_LOADED_AT_ONCE = 20_000;

class Sampling {
  constructor() {
    this.forget();
  }

  forget() {
    this.frames = []; // of the last seconds: [ms, total, matching, shown, isExact, isLight, sent]
    this.leftOut = []; // of the last minute: {first, last, count, isExact, ms}, oldest first
    this.skipped = 0; // lines left out and not loaded since
    this.since = performance.now();
    this.loading = null; // {done, of} while the rest is being loaded
  }

  note({ total, isLight, sentUnixMs }, matching, shown, isExact) {
    this.frames.push([performance.now(), total, matching, shown, isExact, Boolean(isLight), sentUnixMs]);
  }

  tick() {
    const now = performance.now();
    while (this.frames.length && this.frames[0][0] < now - RATE_WINDOW_MS) this.frames.shift();
    while (this.leftOut.length && this.leftOut[0].ms < now - LEFT_OUT_MS) this.leftOut.shift();
  }

  // Whether the left-out lines of a frame are asked for. By the times at which frames were sent:
  // what comes at once after a connection broke is no flood.
  isWorthAsking(frame, matching) {
    if (frame.isLight) return matching <= FEW_WHILE_LIGHT;
    if (matching <= FEW_IN_FRAME) return true;
    let sum = matching;
    for (const [, , others, , , , sent] of this.frames) {
      const earlierMs = frame.sentUnixMs - sent;
      if (earlierMs >= 0 && earlierMs < 1000) sum += others;
    }
    return sum <= FULL_RATE;
  }

  // `isExact`: otherwise so many at most.
  leaveOut(first, last, count, isExact = true) {
    if (count <= 0 || last < first) return;
    this.skipped += count;
    const before = this.leftOut.at(-1);
    const now = performance.now();
    // Neighbours become one question; a new one every second keeps their age known.
    if (before && first > before.last && first - before.last < 1000 && now - before.ms < 1000) {
      before.last = last;
      before.count += count;
      before.isExact &&= isExact;
    } else {
      this.leftOut.push({ first, last, count, isExact, ms: now });
    }
  }

  get lost() {
    return this.leftOut.reduce((sum, { count }) => sum + count, 0);
  }

  // {total, matching, shown} a second, and whether `matching` is more than a bound.
  get rates() {
    const open = Math.min(RATE_WINDOW_MS, Math.max(1000, performance.now() - this.since));
    const rates = { total: 0, matching: 0, shown: 0, isExact: true, isLight: false };
    for (const [, total, matching, shown, isExact, isLight] of this.frames) {
      rates.total += total;
      rates.matching += matching;
      rates.shown += shown;
      rates.isExact &&= isExact;
      rates.isLight ||= isLight;
    }
    for (const name of ["total", "matching", "shown"]) rates[name] /= open / 1000;
    return rates;
  }

  // What the head says while not everything is shown; "" otherwise.
  get words() {
    if (this.loading) return `loading ${thousands(this.loading.done)} of ${thousands(this.loading.of)}`;
    const { matching, shown, isExact, isLight } = this.rates;
    if (Math.round(shown) < Math.round(matching)) {
      const of = `${isExact ? "" : "up to "}${thousands(Math.round(matching))}`;
      return `showing ${thousands(Math.round(shown))} of ${of} lines/s${isLight ? ": slow connection" : ""}`;
    }
    const { lost } = this;
    const upTo = this.leftOut.every((range) => range.isExact) ? "" : "up to ";
    return lost ? `${upTo}${plural(lost, "line")} of the last minute left out` : "";
  }

  // Asks for what was left out of the last minute, newest first, page by page.
  async load(fetchPage, onProgress) {
    if (this.loading) return;
    const wanted = this.leftOut.splice(0).reverse();
    const of = Math.min(MOST_LOADED_AT_ONCE, wanted.reduce((sum, { count }) => sum + count, 0));
    this.loading = { done: 0, of };
    let range;
    try {
      while ((range = wanted[0]) && this.loading.done < MOST_LOADED_AT_ONCE) {
        onProgress();
        const { found, reached } = await fetchPage(range.first, range.last);
        this.loading.done = Math.min(of, this.loading.done + found);
        const counted = reached === null ? range.count : Math.min(range.count, found);
        this.skipped = Math.max(0, this.skipped - counted);
        range.count -= counted;
        if (reached === null) wanted.shift();
        else range.last = reached - 1;
      }
    } catch {
      // what is left can be asked for again
    } finally {
      this.leftOut.unshift(...wanted.reverse());
      this.loading = null;
      onProgress();
    }
  }
}
