// What the colour of a service on the map can mean: five steps of one hue, told by a legend.

const METRICS = {
  errors: {
    words: "Errors",
    steps: [0, 0.0001, 0.01, 0.05, 0.2],
    labels: ["none", "<1 %", "1 %", "5 %", "20 % and more"],
    of: errorShare,
  },
  p95: {
    words: "p95",
    steps: [0, 50, 200, 1000, 5000],
    labels: ["<50 ms", "50 ms", "200 ms", "1 s", "5 s and more"],
    of: ({ p95Ms }) => p95Ms,
  },
  rate: {
    words: "Rate",
    steps: [0, 0.1, 1, 10, 100],
    labels: ["<0.1/s", "0.1/s", "1/s", "10/s", "100/s and more"],
    of: ({ calls }, seconds) => calls / Math.max(1, seconds),
  },
};

// 0 to 4, null when it is not known.
function stepOf(metric, one, seconds) {
  const { steps, of } = METRICS[metric];
  const value = of(one, seconds);
  return value === null || value === undefined ? null : steps.findLastIndex((least) => value >= least);
}

class Legend {
  constructor(root) {
    this.list = root.appendChild(element("div", "legend"));
    this.list.setAttribute("aria-label", "What colours and lines mean");
  }

  draw(metric) {
    if (this.metric === metric) return;
    this.metric = metric;
    const { words, labels } = METRICS[metric];
    this.list.replaceChildren(element("span", "muted", `${words}:`));
    labels.forEach((label, step) => {
      const item = this.list.appendChild(element("span", "key"));
      item.append(element("i", `swatch m${step}`), label);
    });
    for (const [kind, text] of [["call", "calls"], ["messaging", "messages"], ["derived", "same trace, in lines"]]) {
      const item = this.list.appendChild(element("span", "key"));
      const sample = svgElement("svg", "sample", { width: 22, height: 8, "aria-hidden": "true" });
      sample.append(svgElement("path", `wire of-${kind}`, { d: "M1 4H21" }));
      item.append(sample, text);
    }
    const ring = this.list.appendChild(element("span", "key"));
    ring.append(element("i", "ring"), "share of errors");
  }
}
