// The operator's live page: puts the parts together, and keeps them in step with the centre.

import { follow, get, signIn, SignInNeeded } from "./api.js";
import { Cameras } from "./cameras.js";
import { Detail } from "./detail.js";
import { Feed } from "./feed.js";
import { clockTime, element, kindName, useTimezone } from "./format.js";

const byId = (id) => document.getElementById(id);
const filters = { camera_id: byId("filter-camera"), kind: byId("filter-kind") };
const say = (words) => { byId("announce").textContent = words; };

const cameraOf = (cameraId) => cameras.find(cameraId);
const statusOf = (cameraId) => cameras.statusOf(cameraId);

const feed = new Feed({
  list: byId("events"),
  fresh: byId("fresh"),
  empty: byId("empty"),
  announce: say,
  open: (eventId) => detail.show(feed.find(eventId)),
  cameraOf,
  statusOf,
});
const detail = new Detail(byId("detail"), feed, cameraOf, statusOf);
const cameras = new Cameras(byId("cameras"), byId("cameras-summary"), byId("legend"), (cameraId) => {
  filters.camera_id.value = filters.camera_id.value === cameraId ? "" : cameraId;
  reload();
});
let cursor = null;

const wanted = () => Object.fromEntries(Object.entries(filters).map(([name, select]) => [name, select.value]));
const matches = (event) => Object.entries(wanted()).every(([name, value]) => !value || event[name] === value);

async function reload() {
  cameras.mark(filters.camera_id.value);
  const page = await get("/events", { ...wanted(), limit: 60 });
  feed.show(page.items);
  setCursor(page.next_cursor);
  return page;
}

async function older() {
  const page = await get("/events", { ...wanted(), limit: 60, cursor });
  feed.show(page.items, true);
  setCursor(page.next_cursor);
}

function setCursor(next) {
  cursor = next;
  byId("older").hidden = next === null;
}

function addOption(select, value, words) {
  if (![...select.options].some((option) => option.value === value)) select.append(element("option", { value }, words));
}

function setState(state) {
  const connection = byId("connection");
  connection.dataset.state = state;
  connection.textContent = state;
  // A centre that was away may have been told of cameras meanwhile.
  if (state !== "live") return;
  get("/cameras").then((answer) => {
    cameras.show(answer.items);
    feed.turn();
  }, askIfNeeded);
}

function askIfNeeded(error) {
  if (!(error instanceof SignInNeeded)) throw error;
  if (!byId("sign-in").open) byId("sign-in").showModal();
}

async function start() {
  const site = await get("/site");
  useTimezone(site.timezone);
  document.title = site.name;
  byId("site").textContent = site.name;
  byId("zone").textContent = site.timezone;
  const { items } = await get("/cameras");
  for (const camera of items) {
    addOption(filters.camera_id, camera.id, camera.name);
    for (const rule of camera.rules) addOption(filters.kind, rule.kind, kindName(rule.kind));
  }
  cameras.show(items);
  const page = await reload();
  const newest = Math.max(0, ...page.items.map((event) => event.sequence));
  follow(newest, {
    onEvent: (event) => {
      if (matches(event)) feed.add(event);
      detail.renew(event);
    },
    onStatus: (status) => {
      if (cameras.update(status)) feed.turn(status.camera_id);
    },
    onState: setState,
  });
}

function pressPause() {
  const button = byId("pause");
  const paused = button.getAttribute("aria-pressed") !== "true";
  button.setAttribute("aria-pressed", String(paused));
  button.textContent = paused ? "Go on" : "Pause";
  feed.pause(paused);
}

function turnTheme() {
  const root = document.documentElement;
  const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  localStorage.setItem("theme", root.dataset.theme);
}

const KEYS = {
  j: () => feed.move(1),
  ArrowDown: () => feed.move(1),
  k: () => feed.move(-1),
  ArrowUp: () => feed.move(-1),
  p: pressPause,
  t: turnTheme,
  "?": () => byId("help").showModal(),
};

document.addEventListener("keydown", (press) => {
  const typing = press.target.closest("input, select, textarea");
  if (typing || press.ctrlKey || press.metaKey || press.altKey || document.querySelector("dialog[open]")) return;
  if (KEYS[press.key]) {
    press.preventDefault();
    KEYS[press.key]();
  }
});
byId("pause").addEventListener("click", pressPause);
byId("theme").addEventListener("click", turnTheme);
byId("keys").addEventListener("click", () => byId("help").showModal());
byId("help-close").addEventListener("click", () => byId("help").close());
byId("older").addEventListener("click", () => older().catch(askIfNeeded));
for (const select of Object.values(filters)) select.addEventListener("change", () => reload().catch(askIfNeeded));
byId("sign-in").addEventListener("cancel", (closing) => closing.preventDefault());
byId("sign-in-form").addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  if (await signIn(byId("token").value)) {
    byId("token").value = "";
    byId("sign-in").close();
    attempt();
  } else {
    byId("sign-in-problem").textContent = "This is not the token.";
  }
});
setInterval(() => {
  byId("clock").textContent = clockTime(Date.now());
  cameras.refresh();
}, 1000);
if (localStorage.getItem("theme")) document.documentElement.dataset.theme = localStorage.getItem("theme");

async function attempt() {
  try {
    await start();
  } catch (error) {
    if (error instanceof SignInNeeded) askIfNeeded(error);
    else {
      setState("lost");
      setTimeout(attempt, 3000);
    }
  }
}
attempt();
