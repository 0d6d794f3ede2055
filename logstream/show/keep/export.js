// The download of an export: asked of the service itself, or through the dashboard when this
// browser cannot reach it. One at a time for the page; it goes on when the menu is closed.

const REACHED_MS = 3000;
const DRAWN_MS = 150;
const MANY_LINES = 500_000; // worth asking for a place on the disk first
const RELAYED = "x-logstream-relay";
const running = (globalThis.__logstreamExport ??= { job: null });

const grouped = (number) => number.toLocaleString("en-US");

class ExportJob {
  constructor(data) {
    this.data = data;
    this.state = "begun";
    this.lines = this.bytes = 0;
    this.total = 0;
    this.problem = "";
    this.stopping = new AbortController();
    this.onChange = () => {};
  }

  get isUnderWay() {
    return this.state === "begun";
  }

  stop() {
    this.stopping.abort();
  }

  async run() {
    let file = null;
    try {
      const { parameters, expected } = this.data;
      const form = parameters.format;
      if (expected > MANY_LINES) file = await DiskFile.chosen(`logstream.${form}`);
      const reply = await this.ask(`/logs/export?${new URLSearchParams(parameters)}`);
      if (!reply.ok) throw new Error(await wordsOf(reply));
      this.total = Number(reply.headers.get("x-logstream-total") ?? 0);
      const name = /filename="([\w.-]+)"/.exec(reply.headers.get("content-disposition") ?? "")?.[1];
      file ??= new SavedPieces();
      await this.take(reply, file, form !== "parquet");
      await file.finish(name ?? `logstream.${form}`, reply.headers.get("content-type") ?? "");
      this.state = "done";
    } catch (error) {
      await file?.drop();
      this.state = error.name === "AbortError" ? "stopped" : "failed";
      // What a browser calls a network error is an export that was cut off.
      const isCut = error instanceof TypeError && this.bytes > 0;
      this.problem = isCut ? "The export was cut off before its end, so no file was saved. Try again." : error.message;
    }
    this.onChange();
  }

  async ask(path) {
    const { base, relayPath, pass } = this.data;
    const headers = pass ? { authorization: `Bearer ${pass}` } : {};
    const { signal } = this.stopping;
    const reached = AbortSignal.any([signal, AbortSignal.timeout(REACHED_MS)]);
    // A firewall that swallows packets would keep the download itself waiting for minutes.
    const isReached = await fetch(`${base}/health/live`, { mode: "no-cors", signal: reached }).then(() => true, () => false);
    signal.throwIfAborted();
    if (isReached) {
      const reply = await fetch(base + path, { headers, signal }).catch((error) => (signal.aborted ? Promise.reject(error) : null));
      if (reply) return reply;
    }
    const reply = relayPath ? await fetch(relayPath + path, { headers, signal }) : null;
    if (!reply?.headers.has(RELAYED)) throw new Error(`${base} does not answer`);
    return reply;
  }

  async take(reply, file, isText) {
    let drawn = 0;
    for (const reader = reply.body.getReader(); ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      await file.add(value);
      this.bytes += value.length;
      if (isText) for (const byte of value) if (byte === 10) this.lines++;
      if (performance.now() - drawn > DRAWN_MS) {
        drawn = performance.now();
        this.onChange();
      }
    }
  }

  get words() {
    const size = `${(this.bytes / 1e6).toFixed(1)} MB`;
    if (this.state === "failed") return this.problem;
    if (this.state === "stopped") return "Stopped. No file was saved.";
    const lines = this.lines ? `${grouped(this.lines)} lines, ` : "";
    if (this.state === "done") return `Saved: ${lines}${size}`;
    const about = this.total && this.lines ? `${grouped(this.lines)} of about ${grouped(this.total)} lines, ` : lines;
    return this.bytes ? about + size : "Asking…";
  }
}

async function wordsOf(reply) {
  const { message, hint } = (await reply.json().catch(() => null))?.error ?? {};
  return [message ?? `the service answered ${reply.status}`, hint].filter(Boolean).join("; ");
}

function made(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

export default function ({ parentElement, data }) {
  const box = parentElement.querySelector(".export");
  const base = data.serviceUrl || `${location.protocol}//${location.hostname}:${data.servicePort}`;
  const draw = () => {
    const { job } = running;
    const button = made("button", "main", job?.isUnderWay ? "Stop" : "Save as a file");
    button.type = "button";
    button.onclick = () => {
      if (running.job?.isUnderWay) return running.job.stop();
      running.job = new ExportJob({ ...data, base });
      running.job.onChange = draw;
      running.job.run();
      draw();
    };
    const said = made("span", job?.state === "failed" ? "said failed" : "said", job?.words);
    said.setAttribute("role", "status");
    const bar = document.createElement("progress");
    bar.hidden = !job?.isUnderWay;
    bar.setAttribute("aria-label", "Export");
    if (job?.total && job.lines) Object.assign(bar, { max: job.total, value: Math.min(job.lines, job.total) });
    const had = box.contains(parentElement.activeElement ?? document.activeElement);
    box.replaceChildren(button, bar, said);
    if (had) button.focus();
  };
  if (running.job) running.job.onChange = draw;
  draw();
}
