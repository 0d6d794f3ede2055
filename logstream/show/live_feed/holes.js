// Ids whose lines are missing here: of lost frames, of a cut, or left out of sampled frames. The
// database is asked for them, one question at a time, the newest ids first.

const PAGE_LIMIT = 1000;
const PAGE_LIMIT_LIGHT = 100; // on a slow connection, on which frames come meanwhile
const MOST_IN_HOLE = 15_000; // lines: of MAX_ROWS, so that what was loaded before stays in part
const MOST_IN_HOLE_LIGHT = 200;
const MOST_QUESTIONS = 50; // for one hole, where ids are many and lines few
const SEARCH_RATE = 2000; // lines a second of frames that say not how many of them a search means
const WIDEST_HOLE = 100_000; // ids of one question; the service answers no wider ones
const NEAR_IDS = 1000;
const ROUND_MS = 300;

class Holes {
  constructor(source) {
    this.source = source;
    this.waiting = []; // {first, last, expected, sent: [first, last ms] of rated frames or null}
    this.isFilling = false;
  }

  forget() {
    this.waiting = [];
  }

  // `expected`: how many lines are missed there at most, when that is known. With a `frame` only
  // as many are asked for as its time allows; otherwise all of them.
  add(first, last, { expected = Infinity, frame = null } = {}) {
    if (last < first) return;
    const sent = frame ? [frame.sentUnixMs, frame.sentUnixMs] : null;
    const near = this.waiting.find((hole) => first <= hole.last + NEAR_IDS && last >= hole.first - NEAR_IDS);
    if (near) {
      near.first = Math.min(near.first, first);
      near.last = Math.max(near.last, last);
      near.expected += expected;
      near.sent = near.sent && sent && [Math.min(near.sent[0], sent[0]), Math.max(near.sent[1], sent[1])];
    } else {
      this.waiting.push({ first, last, expected, sent });
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
            // While the dashboard reads for us, the service may be away for long.
            if (!source.lower.isPolling) source.httpError = error.message;
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

  mostOf({ sent }) {
    if (this.source.isLight) return MOST_IN_HOLE_LIGHT;
    if (!sent) return MOST_IN_HOLE;
    const seconds = Math.max(1, (sent[1] - sent[0]) / 1000);
    return Math.min(MOST_IN_HOLE, Math.ceil(seconds * SEARCH_RATE));
  }

  async fetch(hole, generation) {
    const { source } = this;
    const { store } = source;
    let left = this.mostOf(hole);
    let found = 0;
    let oldest = null;
    for (let questions = 0; left > 0 && questions < MOST_QUESTIONS; questions++) {
      const from = Math.max(hole.first, hole.last - WIDEST_HOLE + 1);
      const limit = Math.min(source.isLight ? PAGE_LIMIT_LIGHT : PAGE_LIMIT, left);
      const lines = await source.recent({ fromId: from, toId: hole.last, limit });
      if (generation !== source.generation) return;
      const foundHere = store.add(lines);
      found += foundHere;
      left -= lines.length;
      hole.expected -= foundHere;
      source.httpError = "";
      hole.last = (lines.length < limit ? from : Math.min(...lines.map((line) => line.id))) - 1;
      if (hole.last < hole.first) return;
      for (const key of lines.map(keyOf)) if (!oldest || compareRows(key, oldest) < 0) oldest = key;
    }
    if (hole.sent || hole.expected < Infinity) {
      // Counts do not know the words of a search.
      source.sampling.leaveOut(hole.first, hole.last, Math.min(hole.expected, hole.last - hole.first + 1), false);
      return;
    }
    store.settle();
    const newer = oldest ?? store.rows.find((row) => row.id > hole.last);
    if (newer) store.noteGap(newer, null);
  }
}
