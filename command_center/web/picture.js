// An event's picture. It may reach the centre a moment after its event, so a missing one is asked for again.

const RETRIES = [500, 1000, 2000, 4000, 8000, 15000];

export function showPicture(image, event) {
  image.dataset.event = event.event_id;
  image.alt = event.snapshot_url ? `Picture from ${event.camera_name}` : "No picture";
  image.removeAttribute("src");
  image.classList.add("missing");
  if (!event.snapshot_url) return;
  const attempt = (number) => {
    if (image.dataset.event !== event.event_id) return;
    image.onload = () => image.classList.remove("missing");
    image.onerror = () => {
      if (number < RETRIES.length) setTimeout(() => attempt(number + 1), RETRIES[number]);
    };
    image.src = number ? `${event.snapshot_url}?attempt=${number}` : event.snapshot_url;
  };
  attempt(0);
}
