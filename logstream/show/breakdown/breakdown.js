// One row a severity, updated in place so that nothing flickers or loses focus.

const PARTS = ["shape", "word", "track", "count", "percent"];

function makeRow(bars) {
  const row = document.createElement("button");
  row.type = "button";
  for (const name of PARTS) row.append(element("span", name));
  row.querySelector(".track").append(element("div", "bar"));
  bars.append(row);
  return row;
}

class Breakdown {
  constructor(bars) {
    this.bars = bars;
    this.clock = new ServiceClock();
    this.counts = new LiveCounts(({ severity }) => severity, () => [1]);
    this.filterKey = "";
    const grow = unhurried(() => this.paint());
    const hear = ({ detail }) => {
      if (!detail.isPlayback) this.clock.note(detail.sentUnixMs);
      if (this.counts.hear(detail)) grow();
    };
    shared.events.addEventListener("frame", hear);
    this.end = () => {
      grow.end();
      shared.events.removeEventListener("frame", hear);
    };
  }

  update(data) {
    this.data = data;
    const filterKey = JSON.stringify(data.filter);
    if (filterKey !== this.filterKey) {
      this.filterKey = filterKey;
      this.counts.use(data.filter);
    }
    if (!data.isPlayed) this.clock.note(data.asOfMs);
    this.counts.answer(data.asOfMs, new Map(data.rows.map((line) => [line.word, [line.count]])), data.isPlayed);
    this.paint();
  }

  paint() {
    const shown = this.counts.settle(this.counts.positionMs ?? this.clock.nowMs());
    const countOf = ({ word }) => shown.get(word)?.[0] ?? 0;
    const total = this.data.rows.reduce((sum, line) => sum + countOf(line), 0);
    const most = Math.max(...this.data.rows.map(countOf));
    this.data.rows.forEach((line, place) => {
      const row = this.bars.children[place] ?? makeRow(this.bars);
      const count = countOf(line);
      const texts = { shape: line.shape, word: line.word, count: thousands(count), percent: percentWords(count, total) };
      for (const [name, words] of Object.entries(texts)) write(row.querySelector(`.${name}`), words);
      // In steps that can be seen: every other width would lay the page out for nothing.
      const share = most ? ((count / most) * 100).toFixed(1) : 0;
      const width = count ? `max(2px, ${share}%)` : "0px";
      const bar = row.querySelector(".bar");
      if (bar.dataset.width !== width) bar.style.width = bar.dataset.width = width;
    });
  }
}

export default function (component) {
  const { parentElement, data, setTriggerValue } = component;
  const bars = parentElement.querySelector(".bars");
  bars.breakdown ??= new Breakdown(bars);
  bars.breakdown.update(data);
  data.rows.forEach((line, place) => {
    const row = bars.children[place];
    row.style.setProperty("--colour", `var(--severity-${line.word})`);
    row.setAttribute("aria-pressed", String(line.isChosen));
    row.title = line.isChosen ? `Stop filtering by ${line.word}` : `Show ${line.word}`;
    row.onclick = () => setTriggerValue("pick", line.word);
  });
  return () => {
    bars.breakdown?.end();
    bars.breakdown = undefined;
  };
}
