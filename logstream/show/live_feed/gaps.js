// Lines known to be missing between loaded ones: said where they are missing, loaded on request.

const MOST_GAPS = 20;
const GAP_PAGE = 1000;

class Gaps {
  constructor() {
    this.all = []; // {older, newer: keys of the lines at both edges, count or null, isLoading}
  }

  add(older, newer, count) {
    const key = ({ ms, nanos, id }) => ({ ms, nanos, id });
    this.all.push({ older: key(older), newer: key(newer), count, isLoading: false, problem: "" });
    if (this.all.length > MOST_GAPS) this.all.shift();
  }

  clear() {
    this.all = [];
  }

  forgetBefore(oldest) {
    if (this.all.length) this.all = oldest ? this.all.filter((gap) => compareRows(gap.newer, oldest) > 0) : [];
  }

  // The newest missing lines first, a page at a time: they stand under what is being read.
  async load(gap, feed) {
    if (gap.isLoading) return;
    const { store, source, filter } = feed;
    gap.isLoading = true;
    gap.problem = "";
    store.version++;
    feed.schedule();
    try {
      const url = { ...filter.url, from: microsOf(gap.older, 0), to: microsOf(gap.newer, 1) };
      delete url.range;
      const lines = await source.recent({ limit: GAP_PAGE }, url);
      if (!this.all.includes(gap)) return;
      const found = store.add(lines, { evenWhilePaused: true });
      if (found && lines.length >= GAP_PAGE) {
        gap.newer = keyOf(lines[lines.length - 1]);
        if (gap.count !== null) gap.count = Math.max(1, gap.count - found);
      } else {
        this.all = this.all.filter((one) => one !== gap);
      }
    } catch (error) {
      gap.problem = error.message;
    } finally {
      gap.isLoading = false;
      store.version++;
      feed.schedule();
    }
  }
}

// ISO 8601 in microseconds, as the service compares times; `more` microseconds later.
function microsOf({ ms, nanos }, more) {
  const micros = Math.floor(nanos / 1000) + more;
  const whole = new Date(ms + (micros > 999 ? 1 : 0)).toISOString();
  return `${whole.slice(0, -1)}${three(micros % 1000)}Z`;
}
