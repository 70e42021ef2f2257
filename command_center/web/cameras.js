// The cameras: state, and what became of their frames.

import { clockTime, count, element } from "./format.js";

const STALE_MILLISECONDS = 15000;
const OUTCOMES = [
  ["analysed", "analysed"],
  ["still", "nothing moved"],
  ["sampled_out", "between samples"],
  ["overwritten", "overtaken"],
  ["corrupt", "corrupt"],
  ["shed", "shed"],
];
const FAULTS = {
  frozen: "the picture is frozen",
  dark: "the picture is dark",
  overexposed: "too much light",
  obstructed: "something hides the view",
  blurred: "out of focus",
  moved: "looks elsewhere than it did",
  clock_wrong: "its clock is wrong",
  slow: "too few frames",
};
const STEPS = {
  on_demand: "worker busy: decoded only when something may have happened",
  half_rate: "worker busy: half as many pictures analysed",
  one_a_second: "worker busy: one picture a second analysed",
  key_frames: "worker busy: a picture every few seconds analysed",
  paused: "worker overloaded: not watched",
};
const STATES = {
  starting: "starting",
  live: "live",
  reconnecting: "not answering",
  ended: "recording over",
  stopped: "stopped",
  stale: "no word from its worker",
};

export class Cameras {
  constructor(list, summary, legend, onChosen) {
    this.list = list;
    this.summary = summary;
    this.onChosen = onChosen;
    this.tiles = new Map();
    for (const [outcome, words] of OUTCOMES) {
      legend.append(element("span", { className: `key ${outcome}` }, words));
    }
  }

  // What the API says of all of them. The live stream may have said something newer while it answered.
  show(items) {
    const before = new Map(this.tiles);
    this.list.replaceChildren();
    this.tiles.clear();
    for (const camera of items) {
      const tile = makeTile(camera, () => this.onChosen(camera.id));
      const told = { status: camera.status, seen: camera.stale ? 0 : Date.now() };
      const { status, seen } = newest(told, before.get(camera.id));
      this.tiles.set(camera.id, { ...tile, camera, status, seen });
      this.list.append(tile.root);
    }
    this.refresh();
  }

  find(cameraId) {
    return this.tiles.get(cameraId)?.camera;
  }

  statusOf(cameraId) {
    return this.tiles.get(cameraId)?.status;
  }

  // True when the camera has another owner or configuration than before.
  update(status) {
    const tile = this.tiles.get(status.camera_id);
    if (!tile) return false;
    const { epoch, config } = tile.status ?? {};
    tile.status = status;
    tile.seen = Date.now();
    this.refresh();
    return epoch !== status.epoch || config !== status.config;
  }

  mark(cameraId) {
    for (const [id, tile] of this.tiles) tile.button.setAttribute("aria-pressed", String(id === cameraId));
  }

  // Called every second too: a camera whose worker is silent turns stale without any message.
  refresh() {
    const states = [];
    for (const tile of this.tiles.values()) {
      const stale = Date.now() - tile.seen > STALE_MILLISECONDS;
      const state = stale || !tile.status ? "stale" : tile.status.state;
      states.push(state);
      fill(tile, state);
    }
    const live = states.filter((state) => state === "live").length;
    this.summary.textContent = `${live} of ${states.length} live`;
    this.summary.dataset.state = live === states.length ? "live" : "reconnecting";
  }
}

function newest(told, known) {
  const at = (one) => (one?.status ? Date.parse(one.status.reported_at) : 0);
  return at(known) > at(told) ? known : told;
}

function makeTile(camera, choose) {
  const state = element("span", { className: "state" });
  const reason = element("p", { className: "reason" });
  const faults = element("p", { className: "faults" });
  const step = element("p", { className: "step" });
  const facts = element("p", { className: "facts" });
  const bar = element("div", { className: "ledger", role: "img" });
  const parts = OUTCOMES.map(([outcome]) => element("span", { className: outcome }));
  bar.append(...parts);
  const button = element("button", { type: "button", title: "Only this camera's events" }, camera.name);
  button.setAttribute("aria-pressed", "false");
  button.addEventListener("click", choose);
  const head = element("div", { className: "head" }, button, state);
  return { root: element("li", { className: "tile" }, head, reason, faults, step, facts, bar), button, state, reason, faults, step, facts, bar, parts };
}

function fill(tile, state) {
  const status = tile.status;
  tile.root.dataset.state = state;
  tile.state.textContent = STATES[state] ?? state;
  const paused = state === "live" && status.step === "paused";
  tile.reason.textContent = (!paused && status?.reason) || "";
  const faults = state === "live" ? (status.faults ?? []).map((fault) => FAULTS[fault] ?? fault) : [];
  tile.faults.textContent = faults.join(", ");
  tile.step.textContent = (state === "live" && STEPS[status.step]) || "";
  tile.step.dataset.step = status?.step ?? "full";
  if (!status) return;
  const size = status.width ? `${status.width}×${status.height} ${status.codec ?? ""}` : "no picture yet";
  const last = status.last_frame_at ? `last picture ${clockTime(status.last_frame_at)}` : "";
  tile.facts.textContent = [size, `${count(status.events_decided)} events`, last].filter(Boolean).join(" · ");
  const ledger = status.ledger;
  const total = Math.max(1, OUTCOMES.reduce((sum, [outcome]) => sum + ledger[outcome], 0));
  OUTCOMES.forEach(([outcome], index) => {
    tile.parts[index].style.flexGrow = String(ledger[outcome] / total);
  });
  const words = OUTCOMES.filter(([outcome]) => ledger[outcome]).map(([outcome, name]) => `${count(ledger[outcome])} ${name}`);
  tile.bar.setAttribute("aria-label", `${count(ledger.received)} frames: ${words.join(", ")}`);
  tile.bar.title = tile.bar.getAttribute("aria-label");
}
