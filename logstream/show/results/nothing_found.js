// In place of rows: what could be loosened, with what that would find, and when there were lines.

class NothingFound extends Panel {
  show(kind) {
    const before = this.shown;
    super.show(kind);
    if (this.shown !== before) this.drawnAs = "";
    if (kind === "not-yet") this.drawNotYet();
  }

  drawNotYet() {
    const { feed } = this;
    const { searchedTo, isLoadingOlder } = feed.source;
    const drawnAs = `${searchedTo}|${isLoadingOlder}`;
    if (drawnAs === this.drawnAs) return;
    this.drawnAs = drawnAs;
    const far = feed.momentWords(readTime(searchedTo));
    const label = isLoadingOlder ? "Searching …" : "Go on searching";
    this.el.replaceChildren(
      element("h4", "", "Nothing found yet"),
      element("p", "", `Searched back to ${far}, then time was over. Pieces of words and ids are found by reading every line.`),
      button("action", label, "Search further back", () => feed.source.loadOlder(true)),
    );
  }

  drawNoMatch(key) {
    const { feed } = this;
    const { source } = feed;
    const { active, words } = feed.filter;
    const isCurrent = () => key === this.shown;
    source
      .recent({ limit: 1 }, {})
      .then((lines) => isCurrent() && !lines.length && this.drawEmpty())
      .catch(() => {});
    const choices = element("div", "choices");
    this.el.replaceChildren(element("h4", "", "No lines match"), element("p", "", `Asked for: ${words}.`), choices);
    for (const { field, label, url } of active) {
      if (field === "range") {
        this.offerTime(key, url, choices);
        continue;
      }
      const choice = button("action", `Without ${label}`, `Remove ${label} from the filter`, () => feed.ask("loosen", field, ""));
      choices.append(choice);
      source
        .counted(source.held(url))
        .then((count) => {
          if (!isCurrent()) return;
          choice.classList.toggle("helps", count > 0);
          choice.append(element("small", "", count ? plural(count, "line") : "still no lines"));
        })
        .catch(() => {}); // the button works without the hint
    }
  }
}
