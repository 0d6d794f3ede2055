// Where each row and band stands. Counted from the oldest row on, so that arrivals change only
// the end; unwrapped rows are all alike and cost nothing.

class Heights {
  constructor() {
    this.starts = new Float64Array(1024); // starts[n]: heights of the rows older than row n
    this.count = 0;
    this.uniform = 0; // the height of every row; 0 when they differ
    this.bands = []; // {at: index of the row above it in time, height}, oldest first
    this.bandsHeight = 0;
  }

  // The rows before `from` are as they were, but for `dropped` ones gone from the front.
  update(rows, from, dropped, heightOf) {
    this.count = rows.length;
    if (this.uniform) return;
    if (this.starts.length <= this.count) {
      const larger = new Float64Array(this.count * 2 + 1);
      larger.set(this.starts);
      this.starts = larger;
    }
    const { starts } = this;
    if (from <= 0) {
      starts[0] = 0;
      from = 0;
    } else if (dropped) {
      starts.copyWithin(0, dropped, dropped + from + 1);
    }
    for (let n = from; n < this.count; n++) starts[n + 1] = starts[n] + heightOf(rows[n]);
  }

  setBands(bands) {
    this.bands = bands;
    this.bandsHeight = bands.reduce((sum, band) => sum + band.height, 0);
  }

  ofRows(n) {
    return this.uniform ? n * this.uniform : this.starts[n] - this.starts[0];
  }

  get total() {
    return this.ofRows(this.count) + this.bandsHeight;
  }

  // Everything older than row `n`.
  before(n) {
    let height = this.ofRows(n);
    for (const band of this.bands) if (band.at <= n) height += band.height;
    return height;
  }

  // Where row `n` ends.
  after(n) {
    return this.before(n) + this.ofRows(n + 1) - this.ofRows(n);
  }

  // The row at a height above the oldest end; a band belongs to the row older than it.
  rowAt(y) {
    let low = 0;
    let high = this.count;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (this.before(middle) <= y) low = middle;
      else high = middle - 1;
    }
    return Math.min(low, Math.max(0, this.count - 1));
  }
}
