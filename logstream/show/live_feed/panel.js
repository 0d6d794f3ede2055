// What stands where rows would be: nothing yet, nothing matches, or nothing can be read.

class Panel {
  constructor(el, feed) {
    this.el = el;
    this.feed = feed;
    this.shown = "";
  }

  // `kind`: "", "empty" (no lines at all), "no-match" or "failed".
  show(kind) {
    const { feed } = this;
    const key = `${kind}|${feed.source.generation}|${kind === "failed" ? feed.source.httpError : ""}`;
    if (key === this.shown) return;
    this.shown = key;
    this.el.hidden = !kind;
    if (kind === "empty") this.drawEmpty();
    else if (kind === "no-match") this.drawNoMatch(key);
    else if (kind === "failed") this.drawFailed();
    else this.el.replaceChildren();
  }

  drawEmpty() {
    const command =
      `curl -X POST ${this.feed.source.base}/logs/ingest -H 'content-type: application/json' ` +
      `-d '{"source": "checkout", "message": "Payment accepted", "severity": "info"}'`;
    const copy = button("action", "Copy", "Copy the command", async () => {
      copy.textContent = (await copyText(command)) ? "Copied" : "Copy failed";
      setTimeout(() => (copy.textContent = "Copy"), 1200);
    });
    this.el.replaceChildren(
      element("h4", "", "No lines yet"),
      element("p", "", "Send the first one; it appears here at once:"),
      element("pre", "code", command),
      copy,
    );
  }

  drawNoMatch(key) {
    const { feed } = this;
    const { active, words } = feed.filter;
    // A page's own time range is no reason to speak of filters when nothing was ever sent.
    feed.source
      .recent({ limit: 1 }, {})
      .then((lines) => key === this.shown && !lines.length && !feed.player.isOn && this.drawEmpty())
      .catch(() => {});
    const choices = element("div", "choices");
    this.el.replaceChildren(
      element("h4", "", "No lines match"),
      element("p", "", `Asked for: ${words}. ${feed.player.isOn ? "None had been received by this moment." : "New lines that match appear here."}`),
      choices,
    );
    if (feed.player.isOn) {
      choices.append(button("action", "Go to the next line", "Move to when the next matching line was received", () =>
        feed.player.stepToLine()));
    }
    for (const { field, label, url } of active) {
      if (field === "range") {
        this.offerTime(key, url, choices);
        continue;
      }
      const choice = button("action", `Without ${label}`, `Remove ${label} from the filter`, () =>
        feed.ask("loosen", field, ""));
      choices.append(choice);
      feed.source
        .recent({ limit: 1 }, url)
        .then(([newest]) => {
          if (key !== this.shown) return;
          choice.classList.toggle("helps", Boolean(newest));
          const found = newest
            ? `newest line ${ageWords(readTime(newest.createdAt).ms, pageClock.now())}`
            : "still no lines";
          choice.append(element("small", "", found));
        })
        .catch(() => {}); // the button works without the hint
    }
  }

  // The lines nearest before the time asked for; with none, the newest of all.
  async offerTime(key, url, choices) {
    const { feed } = this;
    const [start] = windowOf(feed.filter, clockNow());
    const asked = start ? [{ ...url, to: new Date(start.ms).toISOString() }, url] : [url];
    try {
      for (const where of asked) {
        const [nearest] = await feed.source.recent({ limit: 1 }, where);
        if (key !== this.shown) return;
        if (!nearest) continue;
        const { ms } = readTime(nearest.createdAt);
        const choice = button("action helps", "Go to the nearest lines", "Show the 15 minutes up to that line", () =>
          feed.ask("time", "range", nearest.createdAt));
        choice.append(element("small", "", `${feed.clock.full(ms)}, ${ageWords(ms, pageClock.now())}`));
        choices.append(choice);
        return;
      }
    } catch {
      // the panel works without it
    }
  }

  drawFailed() {
    const { source } = this.feed;
    this.el.replaceChildren(
      element("h4", "", "Lines cannot be read"),
      element("p", "", `${source.httpError}.`),
      element("p", "", "Trying again by itself. If it lasts: is the ingest service running? `python -m logstream doctor` checks it."),
      button("action", "Try now", "Ask the ingest service again", () => {
        source.catchUp();
        source.wake();
      }),
    );
  }
}
