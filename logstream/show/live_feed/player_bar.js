// What the reader sees of a playback: the banner that this is not live, buttons, and the slider.

const CHOOSE_REST_MS = 250; // keys held on the slider are one choice
const SLIDER_STEPS = 240;
const STEP_SECONDS = [1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 10_800, 21_600, 86_400];
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

class PlayerBar {
  constructor(el, player) {
    this.el = el;
    this.player = player;
    this.track = null; // {key, startMs, endMs}: what the slider reaches over
    const find = (selector) => el.querySelector(selector);
    this.words = find(".when .words");
    this.playButton = find(".play");
    this.toLive = find(".to-live");
    this.slider = find(".track input");
    this.note = find(".note");
    this.skipBox = find(".skip input");
    this.speedList = find(".speed-list");
    this.playButton.onclick = () => player.toggle();
    find(".back").onclick = () => player.stepBack();
    find(".next").onclick = () => player.stepToLine();
    this.toLive.onclick = () => player.backToLive();
    this.skipBox.onchange = () => player.toggleSkip();
    this.slider.oninput = () => this.dragged();
    this.slider.onchange = () => this.chosen();
    this.speedList.replaceChildren(...SPEEDS.map((speed) => new Option(`${speed}×`, speed)));
    this.speedList.onchange = () => player.chooseSpeed(Number(this.speedList.value));
    this.speedButtons = SPEEDS.map((speed) =>
      button("speed", `${speed}×`, `Play at ${speed}×`, () => player.chooseSpeed(speed)));
    find(".speeds").replaceChildren(...this.speedButtons);
    el.onkeydown = (event) => this.pressed(event);
  }

  // Space plays and pauses wherever the focus is in the bar, except where it has a meaning.
  pressed(event) {
    if (event.key !== " " || event.target.closest("button, select, [type=checkbox]")) return;
    event.preventDefault();
    this.player.toggle();
  }

  dragged() {
    this.draggedMs = Number(this.slider.value) * 1000;
    clearTimeout(this.choosing);
    this.draw();
  }

  chosen() {
    clearTimeout(this.choosing);
    this.choosing = setTimeout(() => {
      const ms = this.draggedMs;
      this.draggedMs = undefined;
      if (ms !== undefined && this.player.isOn) this.player.seek(ms, this.player.speed);
    }, CHOOSE_REST_MS);
  }

  draw() {
    const { player } = this;
    if (this.el.hidden === player.isOn) {
      this.el.hidden = !player.isOn;
      player.feed.fit();
    }
    if (!player.isOn) {
      this.track = null;
      this.draggedMs = undefined;
      return;
    }
    const { source, isMoving } = player;
    const isDragging = this.draggedMs !== undefined;
    const shownMs = isDragging ? this.draggedMs : source.position;
    const { clock } = player.feed;
    setText(this.words, `: ${isDragging ? "go to" : "as it looked at"} ${momentWords(clock, shownMs)}`);
    if (this.playButton.dataset.moving !== String(isMoving)) {
      this.playButton.dataset.moving = String(isMoving);
      setText(this.playButton.querySelector("span"), isMoving ? "Pause" : "Play");
      this.playButton.title = isMoving ? "Hold this moment (p)" : "Play on from this moment (p)";
    }
    this.toLive.classList.toggle("on", source.hasEnded);
    this.skipBox.checked = player.skipsIdle;
    const speed = player.speed || player.lastSpeed;
    this.speedList.value = String(speed);
    this.speedButtons.forEach((made, place) => made.setAttribute("aria-pressed", String(SPEEDS[place] === speed)));
    const note = this.noteWords();
    setText(this.note, note);
    this.note.title = note;
    this.drawTrack(shownMs, isDragging);
  }

  noteWords() {
    const { player } = this;
    const { source } = player;
    if (source.httpError) return `Waiting: ${source.httpError}`;
    if (source.hasEnded) return [player.skipWords, "The present is reached"].filter(Boolean).join(" · ");
    if (player.skipWords) return player.skipWords;
    if (this.isLasting(source.isWaiting && (player.isMoving || !source.isCurrent))) return "Loading …";
    if (source.isSampled && player.isMoving) {
      return `Showing ${thousands(source.shownPerSecond)} of ${thousands(source.linesPerSecond)} lines/s`;
    }
    return "";
  }

  // A wait that nobody can notice is not worth words.
  isLasting(isWaiting) {
    if (!isWaiting) this.waitingSince = 0;
    else this.waitingSince ||= Date.now();
    return isWaiting && Date.now() - this.waitingSince >= 300;
  }

  drawTrack(shownMs, isDragging) {
    const track = this.trackAt(shownMs, isDragging);
    const { slider } = this;
    if (track !== this.track) {
      this.track = track;
      slider.min = track.startMs / 1000;
      slider.max = track.endMs / 1000;
      slider.step = track.stepSeconds;
      const { clock } = this.player.feed;
      const isOneDay = clock.date(track.startMs) === clock.date(track.endMs);
      for (const [name, ms] of [["from", track.startMs], ["to", track.endMs]]) {
        const time = clock.time(ms).slice(0, 5);
        setText(this.el.querySelector(`.${name}`), isOneDay ? time : `${dayWords(clock, ms)} ${time}`);
      }
    }
    if (!isDragging) slider.value = shownMs / 1000;
    slider.setAttribute("aria-valuetext", momentWords(this.player.feed.clock, shownMs));
  }

  // The chosen time; of a relative range its length to both sides of where playing began.
  trackAt(ms, isDragging) {
    const { feed, source } = this.player;
    const { filter } = feed;
    const key = `${filter.rangeSeconds}|${filter.startUnixNano}|${filter.endUnixNano}|${feed.zone}`;
    const { track } = this;
    if (track?.key === key && (isDragging || (ms >= track.startMs && ms <= track.endMs))) return track;
    let startMs;
    let endMs;
    if (filter.rangeSeconds) {
      startMs = ms - filter.rangeSeconds * 1000;
      endMs = ms + filter.rangeSeconds * 1000;
    } else {
      const [start, end] = windowOf(filter, clockNow());
      startMs = Math.min(start?.ms ?? ms - 3_600_000, ms);
      endMs = Math.max(end?.ms ?? Infinity, ms);
    }
    endMs = Math.max(Math.min(endMs, source.edge), startMs + 60_000);
    const seconds = (endMs - startMs) / 1000;
    const stepSeconds = STEP_SECONDS.find((step) => seconds / step <= SLIDER_STEPS) ?? 86_400;
    return { key, startMs: Math.floor(startMs / 1000) * 1000, endMs: Math.ceil(endMs / 1000) * 1000, stepSeconds };
  }
}

function dayWords(clock, ms) {
  const [, month, day] = clock.date(ms).split("-").slice(-3);
  return `${Number(day)} ${MONTHS[Number(month) - 1]}`;
}

// `30 Nov 14:05:03 UTC`.
function momentWords(clock, ms) {
  const zone = clock.zone.split("/").pop().replaceAll("_", " ");
  return `${dayWords(clock, ms)} ${clock.time(ms).slice(0, 8)} ${zone}`;
}
