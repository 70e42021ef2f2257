// Words and times for people.

const KINDS = {
  zone_entered: "Entered zone",
  zone_left: "Left zone",
  line_crossed: "Crossed line",
  after_hours: "After hours",
  wrong_way: "Wrong way",
  speed: "Too fast",
  all: "Together",
  any: "One of several",
  then: "One after the other",
};

let clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
let full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long" });

export function useTimezone(timeZone) {
  clock = new Intl.DateTimeFormat(undefined, { timeStyle: "medium", hourCycle: "h23", timeZone });
  full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "long", hourCycle: "h23", timeZone });
}

export const clockTime = (time) => clock.format(new Date(time));
export const fullTime = (time) => full.format(new Date(time));
export const kindName = (kind) => KINDS[kind] ?? plain(kind);
export const plain = (name) => (name.charAt(0).toUpperCase() + name.slice(1)).replaceAll("_", " ");
export const count = (number) => new Intl.NumberFormat().format(number);

export function objects(event) {
  const labels = event.tracks.map((track) => track.label);
  const counted = [...new Set(labels)].map((label) => [label, labels.filter((other) => other === label).length]);
  return counted.map(([label, number]) => (number > 1 ? `${number} × ${label}` : label)).join(", ");
}

export function duration(milliseconds) {
  if (milliseconds === null) return "unknown";
  if (milliseconds < 1000) return `${Math.round(milliseconds)} ms`;
  if (milliseconds < 120000) return `${(milliseconds / 1000).toFixed(1)} s`;
  return `${Math.round(milliseconds / 60000)} min`;
}

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}
