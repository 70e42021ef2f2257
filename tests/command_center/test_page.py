"""The live page in a real browser, over a real centre."""

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect, sync_playwright

from safecity.settings import parse_site
from safecity.status import CameraState
from tests.command_center.conftest import wait_until
from tests.command_center.messages import (
    make_event,
    make_life,
    make_picture,
    make_status,
    publish_event,
    publish_status,
)

pytestmark = pytest.mark.browser
TOKEN = "a-token-of-sixteen-or-more"


@pytest.fixture(scope="module")
def browser():
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("NO CHROMIUM, SO THE PAGE WAS NOT TESTED: apt-get install chromium")
    arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=chromium, args=arguments)
        yield opened
        opened.close()


@pytest.fixture
def page(browser) -> Iterator[Page]:
    """A page of which every error, refused resource and foreign request fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id="UTC")
    opened = context.new_page()
    wrong: list[str] = []
    opened.on("pageerror", lambda error: wrong.append(f"error: {error}"))
    opened.on(
        "console",
        lambda said: wrong.append(said.text) if said.type == "error" and " 401 " not in said.text else None,
    )
    opened.on("request", lambda request: None if "//127.0.0.1:" in request.url else wrong.append(request.url))
    yield opened
    context.close()
    assert wrong == []


def publish(running, number, **more):
    event = make_event(number, **more)
    publish_event(running.producer, event, make_picture())
    running.producer.flush(5)
    return event


def ids_of(page):
    return [row.get_attribute("data-event") for row in page.locator("#events img").all()]


def test_events_appear_with_picture_camera_rule_and_time(page, running):
    publish(running, 1)
    page.goto(running.url)
    row = page.locator("#events .event").first
    expect(row).to_contain_text("Entered zone “yard”")
    expect(row).to_contain_text("Camera 1")
    expect(row).to_contain_text("person")
    expect(row.locator("time")).to_have_text("17:00:01")  # Karachi's
    expect(row.locator("svg rect")).to_have_count(1)
    expect(row.locator("svg polygon")).to_have_count(1)
    page.wait_for_function("document.querySelector('#events img').naturalWidth === 320")
    expect(page.locator("#site")).to_have_text("Test city")
    expect(page.locator("#connection")).to_have_text("live")


def test_new_events_come_without_a_reload_newest_first_each_once(page, running):
    first = publish(running, 1)
    page.goto(running.url)
    expect(page.locator("#connection")).to_have_text("live")
    later = [publish(running, number) for number in (2, 4, 3)]
    publish_event(running.producer, later[0])
    expect(page.locator("#events .event")).to_have_count(4)
    assert ids_of(page) == [event.event_id for event in (later[1], later[2], later[0], first)]


def test_an_event_that_lasts_is_one_row_and_its_newest_revision_stays(page, running):
    opened, updated, closed = make_life(1)
    publish_event(running.producer, opened, make_picture())
    page.goto(running.url)
    row = page.locator("#events .event")
    expect(row).to_contain_text("going on")
    row.click()
    expect(page.locator("#detail-facts")).to_contain_text("it is going on")
    publish_event(running.producer, closed)
    publish_event(running.producer, updated)
    publish(running, 2)
    expect(page.locator("#events .event")).to_have_count(2)
    row = page.locator("#events .event", has_text="17:00:01")
    expect(row).to_contain_text("to 17:00:09")
    expect(row).not_to_contain_text("going on")
    expect(page.locator("#detail-facts")).to_contain_text("revision 3")


def test_an_event_whose_owner_is_no_more_does_not_go_on_for_ever(page, running):
    opened = make_life(1)[0]
    publish_event(running.producer, opened, make_picture())
    page.goto(running.url)
    row = page.locator("#events .event")
    expect(row).to_contain_text("going on")
    publish_status(running.producer, make_status(config=opened.config))
    publish(running, 2)
    expect(page.locator("#events .event")).to_have_count(2)
    row = page.locator("#events .event", has_text="17:00:01")
    expect(row).to_contain_text("going on")
    publish_status(running.producer, make_status(config=opened.config, epoch=1))
    expect(row).to_contain_text("end not seen")
    row.click()
    expect(page.locator("#detail-facts")).to_contain_text("its end was not seen")
    page.reload()
    expect(row).to_contain_text("end not seen")


def test_a_camera_shows_its_state_reason_and_ledger(page, running):
    page.goto(running.url)
    expect(page.locator(".tile")).to_have_count(3)
    expect(page.locator("#cameras-summary")).to_have_text("0 of 3 live")
    expect(page.locator("#connection")).to_have_text("live")
    faults = ("blurred", "something_newer")
    busy = {"faults": faults, "step": "half_rate"}
    live = make_status(width=768, height=576, codec="h264", events_decided=7, **busy)
    refused = make_status("cam-2", CameraState.RECONNECTING, reason="the camera refuses")
    for status in (live, refused):
        publish_status(running.producer, status)
    one, two, three = page.locator(".tile").all()
    expect(one).to_contain_text("live")
    expect(one).to_contain_text("768×576 h264 · 7 events")
    expect(one.locator(".ledger")).to_have_attribute("aria-label", "10 frames: 4 analysed, 6 between samples")
    expect(one.locator(".faults")).to_have_text("out of focus, something_newer")
    expect(one.locator(".step")).to_have_text("worker busy: half as many pictures analysed")
    expect(two.locator(".faults")).to_have_text("")
    expect(two).to_contain_text("the camera refuses")
    expect(three).to_contain_text("no word from its worker")
    expect(page.locator("#cameras-summary")).to_have_text("1 of 3 live")


def test_by_keyboard_alone(page, running):
    events = [publish(running, number) for number in (1, 2, 3)]
    page.goto(running.url)
    expect(page.locator("#events .event")).to_have_count(3)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    dialog = page.locator("#detail")
    expect(dialog).to_be_visible()
    expect(dialog).to_contain_text(events[1].event_id)
    expect(dialog.locator("svg rect")).to_have_attribute("x", "0.4")
    page.keyboard.press("ArrowRight")
    expect(dialog).to_contain_text(events[0].event_id)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(dialog).to_contain_text(events[2].event_id)
    page.keyboard.press("Escape")
    expect(dialog).not_to_be_visible()
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    assert page.evaluate("document.documentElement.dataset.theme") in {"dark", "light"}


def test_filters_hold_for_what_is_there_and_for_what_comes(page, running):
    publish(running, 1)
    publish(running, 2, camera_id="cam-2")
    page.goto(running.url)
    expect(page.locator("#events .event")).to_have_count(2)
    page.select_option("#filter-camera", "cam-2")
    expect(page.locator("#events .event")).to_have_count(1)
    publish(running, 3)
    wanted = publish(running, 4, camera_id="cam-2")
    expect(page.locator("#events .event")).to_have_count(2)
    assert ids_of(page)[0] == wanted.event_id


def test_paused_nothing_moves_and_nothing_is_missed(page, running):
    publish(running, 1)
    page.goto(running.url)
    expect(page.locator("#connection")).to_have_text("live")
    page.keyboard.press("p")
    publish(running, 2)
    publish(running, 3)
    expect(page.locator("#fresh")).to_have_text("2 new")
    expect(page.locator("#events .event")).to_have_count(1)
    page.keyboard.press("p")
    expect(page.locator("#events .event")).to_have_count(3)


def test_older_events_are_a_button_away(page, running):
    for number in range(70):
        publish_event(running.producer, make_event(number), make_picture())
    running.producer.flush(5)
    wait_until(lambda: running.stored() == 70)
    page.goto(running.url)
    expect(page.locator("#events .event")).to_have_count(60)
    page.click("#older")
    expect(page.locator("#events .event")).to_have_count(70)
    expect(page.locator("#older")).to_be_hidden()
    assert len(set(ids_of(page))) == 70


def test_a_late_picture_is_waited_for(page, running):
    event = make_event(1)
    publish_event(running.producer, event)
    running.producer.flush(5)
    # A page of its own: the browser reports the 404 of the missing picture as an error.
    missing = page.context.new_page()
    missing.goto(running.url)
    expect(missing.locator("#events img.missing")).to_have_count(1)
    publish_event(running.producer, event, make_picture())
    running.producer.flush(5)
    expect(missing.locator("#events img.missing")).to_have_count(0, timeout=15000)
    missing.close()


def test_with_a_token_one_signs_in_first(page, make_site, serve):
    with serve(make_site(token=TOKEN)) as running:
        publish(running, 1)
        page.goto(running.url)
        expect(page.locator("#sign-in")).to_be_visible()
        page.fill("#token", "wrong-token-of-some-length")
        page.keyboard.press("Enter")
        expect(page.locator("#sign-in-problem")).to_have_text("This is not the token.")
        page.fill("#token", TOKEN)
        page.keyboard.press("Enter")
        expect(page.locator("#sign-in")).not_to_be_visible()
        expect(page.locator("#events .event")).to_have_count(1)
        expect(page.locator("#connection")).to_have_text("live")


@pytest.mark.parametrize(("width", "height"), [(1440, 900), (1024, 768), (390, 844)])
def test_nothing_is_cut_off_on_any_screen(page, running, width, height):
    publish(running, 1)
    page.set_viewport_size({"width": width, "height": height})
    page.goto(running.url)
    expect(page.locator("#events .event")).to_have_count(1)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator("#events .event").click()
    box = page.locator("#detail").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width


def test_what_a_camera_is_called_is_text_and_nothing_else(page, tmp_path, serve):
    name = "<img src=x onerror=document.title='hacked'>"
    camera = {"id": "cam-1", "name": name, "source": "rtsp://127.0.0.1:1/"}
    site = parse_site({"data_dir": str(tmp_path / "data"), "name": name, "cameras": [camera]}, tmp_path)
    with serve(site) as running:
        publish(running, 1)
        page.goto(running.url)
        expect(page.locator("#events .event")).to_contain_text(name)
        assert page.title() == name
