// What was heard of the publishers' frames: which of them are missing, and from which id on
// lines may be after a cut. Ids of one publisher grow; those of several interleave in blocks.

const OVERLAP_MS = 2000; // frames sent so close to each other may hold each other's ids
const SPOKE_LATELY_MS = 10 * 60_000; // who has been silent for longer shows by its sequence

class Heard {
  constructor() {
    this.forget();
  }

  forget() {
    this.frames = new Map(); // publisher/environment → its last frame
    this.publishers = new Map(); // → {recent: [{firstId, sentMs}], from, heardMs}
    this.reached = 0; // no line up to this id is owed, where no publisher was heard
  }

  // {isOld} for a frame heard before; otherwise the `hole` before it, [first, last] or null.
  // `isStranger`: others were heard already, and this publisher has spoken unheard.
  note({ publisher, environment, sequence, firstId, lastId, sentUnixMs }) {
    const key = `${publisher}/${environment}`;
    const before = this.frames.get(key);
    if (before && sequence <= before.sequence) return { isOld: true };
    const { from } = this;
    const isStranger = !before && sequence > 1 && this.frames.size > 0;
    // The ids of frames that follow each other may overlap: two groups of lines land at once.
    const hole = before && sequence > before.sequence + 1
      ? [Math.min(before.firstId, firstId), Math.max(before.lastId, lastId)] : null;
    this.frames.set(key, { sequence, firstId, lastId });
    const known = this.publishers.get(publisher) ?? { recent: [] };
    known.recent = known.recent.filter(({ sentMs }) => sentUnixMs - sentMs < OVERLAP_MS);
    known.recent.push({ firstId, sentMs: sentUnixMs });
    known.from = Math.min(...known.recent.map((frame) => frame.firstId));
    known.heardMs = performance.now();
    this.publishers.set(publisher, known);
    return { isOld: false, hole, isStranger, from };
  }

  // HTTP has given the newest lines, up to this id, and what lies before is asked for.
  reach(id) {
    this.reached = Math.max(this.reached, id);
    for (const known of this.publishers.values()) known.from = Math.max(known.from, id + 1);
  }

  get from() {
    const since = performance.now() - SPOKE_LATELY_MS;
    const lately = [...this.publishers.values()].filter(({ heardMs }) => heardMs >= since);
    return lately.length ? Math.min(...lately.map(({ from }) => from)) : this.reached + 1;
  }
}
