// The centre's API, and its live stream.

const BASE = "/api/v1";

export class SignInNeeded extends Error {}

export async function get(path, parameters = {}) {
  const query = new URLSearchParams(Object.entries(parameters).filter(([, value]) => value));
  const answer = await fetch(`${BASE}${path}${query.size ? `?${query}` : ""}`, { headers: { Accept: "application/json" } });
  if (answer.status === 401) throw new SignInNeeded();
  if (!answer.ok) throw new Error(`the centre answers ${answer.status}`);
  return answer.json();
}

export async function signIn(token) {
  const answer = await fetch(`${BASE}/session`, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  return answer.ok;
}

// Follows events and statuses from the one after `sequence`, and connects again, from where it was, for ever.
// EventSource gives up on an error answer (a proxy's 502, a 401), so that is done here.
export function follow(sequence, { onEvent, onStatus, onState }) {
  let last = sequence;
  let wait = 1000;
  const connect = () => {
    const source = new EventSource(`${BASE}/events/stream?last_event_id=${last}`);
    source.onopen = () => {
      wait = 1000;
      onState("live");
    };
    source.addEventListener("event", (message) => {
      last = Math.max(last, Number(message.lastEventId));
      onEvent(JSON.parse(message.data));
    });
    source.addEventListener("status", (message) => onStatus(JSON.parse(message.data)));
    source.onerror = () => {
      source.close();
      onState(wait > 8000 ? "lost" : "reconnecting");
      setTimeout(connect, wait);
      wait = Math.min(2 * wait, 15000);
    };
  };
  connect();
}
