// What the trace is, in one line and a row of its services; and what is odd about it.

class TraceHead {
  constructor(root, waterfall) {
    this.waterfall = waterfall;
    this.root = root;
    const line = root.appendChild(element("div", "what"));
    this.title = line.appendChild(element("h2"));
    this.facts = line.appendChild(element("div", "figures"));
    this.tools = line.appendChild(element("div", "tools"));
    this.tools.append(
      this.copier("Copy link", "Copy a link to this trace, with the span that is selected", () => linkToTrace(waterfall)),
      this.copier("Copy id", "Copy the trace's id", () => waterfall.traceId),
      button("small explore", "Lines in Explore", "Every line of this trace in Explore", () => waterfall.explore()),
    );
    const under = root.appendChild(element("div", "under"));
    this.services = under.appendChild(element("div", "services"));
    setRole(this.services, "group", "Services of this trace: a click makes one stand out");
    this.notices = under.appendChild(element("div", "notices"));
    this.news = root.appendChild(element("div", "news"));
    this.news.setAttribute("role", "status");
    this.newsWords = this.news.appendChild(element("span"));
    this.news.append(button("small", "Show", "Show the trace as it is now", () => waterfall.source.takeNews()));
    this.news.hidden = true;
  }

  copier(label, title, text) {
    const made = button("small", label, title, async () => {
      made.textContent = (await copyText(text())) ? "Copied" : "Copy failed";
      setTimeout(() => (made.textContent = label), 1200);
    });
    return made;
  }

  draw() {
    const { trace, traceId, clock } = this.waterfall;
    this.tools.querySelector(".explore").hidden = !trace;
    this.services.hidden = !trace;
    if (!trace) {
      this.title.replaceChildren(element("span", "operation", `Trace ${cleanText(traceId)}`));
      this.title.title = traceId;
      this.facts.replaceChildren();
      this.notices.replaceChildren();
      return;
    }
    this.drawTitle(trace);
    const errors = trace.spans.filter((span) => span.isError).length;
    const begin = trace.msAt(trace.from);
    const figure = (words, title = "", className = "") => {
      const made = element("span", className, words);
      made.title = title;
      return made;
    };
    const wrong = figure(errors ? `⊗ ${plural(errors, "error")}` : "no errors", "Spans that failed", errors ? "wrong" : "");
    const services = trace.services();
    const { spanCount } = this.waterfall.source;
    const whole = !this.isCut ? "" : spanCount > trace.spans.length ? ` of ${thousands(spanCount)}` : " and more";
    this.facts.replaceChildren(
      figure(durationWords(trace.duration), `From the first moment to the last: ${exactWords(trace.duration)}`, "strong"),
      figure(whole ? `the first ${thousands(trace.spans.length)}${whole} spans` : plural(trace.spans.length, "span")),
      figure(plural(services.length, "service")),
      wrong,
      figure(plural(trace.lines.length, "line"), "Log lines of this trace"),
      figure(`${clock.date(begin)} ${clock.time(begin)}`, `Begins ${clock.full(begin)}; UTC ${new Date(begin).toISOString()}`),
      figure(ageWords(begin, Date.now()), clock.full(begin), "muted"),
    );
    this.drawServices(services);
    this.drawNotices(trace);
  }

  get isCut() {
    return this.waterfall.trace.warnings.some((one) => /more than \d+ spans/.test(one));
  }

  drawTitle({ root, lines }) {
    const service = element("span", "service");
    const name = root ? root.service : lines[0]?.line.source ?? "";
    service.style.setProperty("--service", this.waterfall.colourOf(name));
    writeName(service, name);
    const operation = element("span", "operation");
    writeName(operation, root ? root.name : "only log lines");
    this.title.replaceChildren(service, operation);
    this.title.title = `${cleanText(name)} · ${operation.textContent}\ntrace ${cleanText(this.waterfall.traceId)}`;
  }

  drawServices(services) {
    const { search } = this.waterfall;
    arrange(
      this.services,
      services.slice(0, 60),
      ([service]) => service,
      ([service]) => button("of", "", "", () => this.waterfall.standOut(service)),
      (chip, [service, count]) => {
        chip.style.setProperty("--service", this.waterfall.colourOf(service));
        writeName(chip, service);
        chip.dataset.count = count ? thousands(count) : "";
        chip.setAttribute("aria-pressed", String(search.service === service));
        setTitle(chip, `${cleanText(service)}: ${count ? plural(count, "span") : "lines only"}; click to make it stand out`);
      },
    );
  }

  drawNotices(trace) {
    const notices = [...trace.warnings.map(sentence)];
    const derived = trace.spans.filter((span) => span.isDerived).length;
    if (derived) {
      const all = derived === trace.spans.length ? "All spans are" : `${plural(derived, "span")} ${derived === 1 ? "is" : "are"}`;
      notices.push(`${all} made from log lines (hatched): start and parent are guessed.`);
    }
    if (trace.unknown.length) {
      notices.push(`${plural(trace.unknown.length, "parent")} ${trace.unknown.length === 1 ? "has" : "have"} not arrived (dashed).`);
    }
    const { from, to } = crowdOf(trace);
    if (from !== trace.from || to !== trace.to) {
      notices.push(`Some spans lie far from the others, perhaps by a wrong clock or unit: all of it lasts ${durationWords(trace.duration)}.`);
    }
    if (trace.roots.length > 1) notices.push(`It has ${thousands(trace.roots.length)} beginnings: spans without a parent.`);
    this.notices.replaceChildren(...notices.map((words) => element("span", "", words)));
  }

  drawNews() {
    const words = this.waterfall.source.news;
    this.news.hidden = !words;
    write(this.newsWords, words);
  }
}

const sentence = (words) => `${words.charAt(0).toUpperCase()}${words.slice(1).replace(/\.$/, "")}.`;

// What another person needs to see the same: neither filters of the list nor a relative time.
function linkToTrace({ traceId }) {
  const here = new URL(location.href).searchParams;
  const kept = new URLSearchParams({ trace: traceId });
  for (const name of ["env", "span", "compare", "tz"]) if (here.has(name)) kept.set(name, here.get(name));
  return `${location.origin}${location.pathname}?${kept}`;
}
