// Ids whose lines are missing here: of lost frames, or left out of sampled ones. The database is
// asked for them, one question at a time.

const PAGE_LIMIT = 1000;
const PAGES_PER_GAP = 10; // lines nobody told us of
const PAGES_PER_SAMPLE = 2; // the left-out ones of sampled frames
const WIDEST_HOLE = 100_000; // ids of one question; the service answers no wider ones
const NEAR_IDS = 1000;
const ROUND_MS = 300;

class Holes {
  constructor(source) {
    this.source = source;
    this.waiting = []; // {first, last, expected}
    this.isFilling = false;
  }

  forget() {
    this.waiting = [];
  }

  // `expected`: how many lines are missed there at most, when that is known.
  add(first, last, expected = Infinity) {
    if (last < first) return;
    const near = this.waiting.find((hole) => first <= hole.last + NEAR_IDS && last >= hole.first - NEAR_IDS);
    if (near) {
      near.first = Math.min(near.first, first);
      near.last = Math.max(near.last, last);
      near.expected += expected;
    } else {
      this.waiting.push({ first, last, expected });
    }
    this.fill();
  }

  // At most one round in 300 ms: holes of a burst are asked together.
  async fill() {
    if (this.isFilling) return;
    this.isFilling = true;
    const { source } = this;
    try {
      while (this.waiting.length && !source.isOver) {
        const hole = this.waiting.shift();
        const { generation } = source;
        try {
          await this.fetch(hole, generation);
        } catch (error) {
          if (generation === source.generation) {
            source.httpError = error.message;
            this.waiting.push(hole);
          }
          break; // the next tick tries again
        }
        source.onChange();
        await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      }
    } finally {
      this.isFilling = false;
    }
  }

  async fetch({ first, last, expected }, generation) {
    const { source } = this;
    const pages = expected === Infinity ? PAGES_PER_GAP : PAGES_PER_SAMPLE;
    let to = last;
    let found = 0;
    for (let page = 0; page < pages; page++) {
      const from = Math.max(first, to - WIDEST_HOLE + 1);
      const lines = await source.recent({ fromId: from, toId: to, limit: PAGE_LIMIT });
      if (generation !== source.generation) return;
      found += source.store.add(lines);
      source.httpError = "";
      to = (lines.length < PAGE_LIMIT ? from : Math.min(...lines.map((line) => line.id))) - 1;
      if (to < first) return;
    }
    // Counts do not know the words of a search, nor what a lost frame held.
    source.sampling.leaveOut(first, to, Math.min(expected - found, to - first + 1), false);
  }
}
