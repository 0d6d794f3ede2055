// The bar above the rows: tabs, the search, and what is drawn.

const TRACE_TABS = [["timeline", "Timeline"], ["statistics", "Statistics"], ["flame", "Flame graph"]];

class TraceBar {
  constructor(root, waterfall) {
    this.waterfall = waterfall;
    this.tabs = root.appendChild(element("div", "tabs"));
    this.tabs.setAttribute("role", "tablist");
    for (const [name, words] of TRACE_TABS) {
      const tab = this.tabs.appendChild(button("tab", words, words, () => waterfall.showTab(name)));
      tab.setAttribute("role", "tab");
      tab.dataset.tab = name;
    }
    this.drawSearch(root);
    this.options = root.appendChild(element("div", "options"));
    const option = (words, title, act) => {
      const made = this.options.appendChild(button("small", words, title, act));
      made.removeAttribute("aria-label"); // its words say more: how many there are
      return made;
    };
    this.level = this.options.appendChild(element("span", "level"));
    this.level.append(
      button("small", "−", "One level fewer ([)", () => waterfall.changeLevel(-1)),
      element("span", "muted"),
      button("small", "+", "One level more (])", () => waterfall.changeLevel(1)),
    );
    this.lines = option("Lines", "Log lines among the spans (l)", () => waterfall.switchRows("withLines"));
    this.exceptions = option("Exceptions", "Exceptions among the spans (x)", () => waterfall.switchRows("withExceptions"));
    this.critical = option("Critical path", "What decided how long the trace took (c)", () => waterfall.switchCritical());
    this.clocks = option("Correct clocks", "", () => waterfall.correctClocks());
    this.zoomed = option("All of it", "Show all the time of the trace again (Esc)", () => waterfall.zoomOut());
    this.help = root.appendChild(button("small", "?", "Keyboard and signs (?)", () => waterfall.toggleHelp()));
  }

  drawSearch(root) {
    const { waterfall } = this;
    const box = root.appendChild(element("div", "seek"));
    this.search = waterfall.searchBox = searchBox("Search in this trace (/)", { sought: waterfall.search.text }, () => {
      waterfall.look(this.search.value);
    });
    this.search.onfocus = () => waterfall.source.loadAttributes().catch(() => {}); // names are searched all the same
    this.found = element("span", "muted found");
    this.found.setAttribute("role", "status");
    this.steps = element("span", "steps");
    this.steps.append(
      button("small", "↑", "Previous found (N)", () => waterfall.stepFound(-1)),
      button("small", "↓", "Next found (n)", () => waterfall.stepFound(1)),
    );
    box.append(this.search, this.found, this.steps);
  }

  draw() {
    const { trace, tab, rows, search, isCriticalShown, isZoomed } = this.waterfall;
    for (const one of this.tabs.children) {
      one.setAttribute("aria-selected", String(one.dataset.tab === tab));
      one.tabIndex = one.dataset.tab === tab ? 0 : -1;
    }
    const press = (option, isOn) => option.setAttribute("aria-pressed", String(isOn));
    const isTimeline = tab === "timeline";
    this.level.hidden = !isTimeline || rows.deepest === 0;
    const level = Math.min(rows.level, rows.deepest);
    write(this.level.children[1], level >= rows.deepest ? "all levels" : plural(level + 1, "level"));
    this.lines.hidden = !isTimeline || !trace.lines.length;
    write(this.lines, `${plural(trace.lines.length, "line")}`);
    press(this.lines, rows.withLines);
    this.exceptions.hidden = !isTimeline || !trace.exceptionCount;
    write(this.exceptions, plural(trace.exceptionCount, "exception"));
    press(this.exceptions, rows.withExceptions);
    this.critical.hidden = !isTimeline || !trace.hasCriticalPath;
    press(this.critical, isCriticalShown);
    this.clocks.hidden = !trace.shifts.size;
    press(this.clocks, trace.isCorrected);
    const most = Math.max(0, ...[...trace.shifts.values()].map(Math.abs));
    const words = `${plural(trace.shifts.size, "span")} by up to ${durationWords(most)}`;
    write(this.clocks, `${trace.isCorrected ? "Clocks corrected" : "Correct clocks"}: ${words}`);
    setTitle(this.clocks, `Children lie outside their parents because clocks differ: moves ${words}`);
    this.zoomed.hidden = !isTimeline || !isZoomed;
    write(this.found, search.words());
    this.steps.hidden = !search.found.length;
    if (this.search.value !== search.text) this.search.value = search.text;
  }
}
