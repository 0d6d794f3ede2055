// What the keyboard does in the live feed alone.

const FEED_SHORTCUTS = [
  ["p", "pause, resume"],
  ["b", "newest at the bottom, or on top"],
  ["v", "since your last visit"],
  ["t", "pick a moment of the past"],
  [",  .", "in the past: 10 s back, next line"],
  ["<  >", "in the past: slower, faster"],
];

function feedKeys(feed) {
  const { player } = feed;
  return {
    p: () => feed.togglePause(),
    b: () => feed.turnAround(),
    v: () => feed.visit.jump(),
    t: () => document.querySelector('[class*="st-key-history"] button')?.click(),
    ",": player.isOn && (() => player.stepBack()),
    ".": player.isOn && (() => player.stepToLine()),
    "<": player.isOn && (() => player.changeSpeed(-1)),
    ">": player.isOn && (() => player.changeSpeed(1)),
  };
}
