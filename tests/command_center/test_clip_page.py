"""The recording around an event, played by a real browser from the page."""

import pytest
from playwright.sync_api import expect

from tests.command_center.conftest import served
from tests.command_center.test_clips import site_of, stored_event
from tests.command_center.test_page import browser, page  # noqa: F401  fixtures

pytestmark = pytest.mark.browser


def ask_for_clip(page, server):  # noqa: F811
    """Open the newest event of a page, and its clip."""
    page.goto(server.url)
    page.locator("#events img").first.click()
    page.click("#detail-clip")
    return page.locator("#detail-video")


def test_a_clip_plays_in_the_page_and_can_be_sought_in(page, tmp_path):  # noqa: F811
    with served(site_of(tmp_path, token=None)) as server:
        stored_event(server, 12)
        video = ask_for_clip(page, server)
        expect(video).to_be_visible(timeout=30_000)
        handle = video.element_handle()
        page.wait_for_function("v => v.currentTime > 0.3 && !v.error", arg=handle)
        assert video.evaluate("v => [v.videoWidth, v.videoHeight]") == [320, 240]
        assert 4.5 < video.evaluate("v => v.duration") < 5.5
        video.evaluate("v => { v.currentTime = 4; }")
        page.wait_for_function("v => !v.seeking && v.currentTime > 4.1", arg=handle)
        video.evaluate("v => { v.pause(); v.currentTime = 1; }")
        page.wait_for_function("v => !v.seeking && Math.abs(v.currentTime - 1) < 0.1", arg=handle)
        page.goto("about:blank")


def test_a_clip_that_the_browser_cannot_play_is_said_and_can_be_saved(page, tmp_path):  # noqa: F811
    with served(site_of(tmp_path, codec="libx265", token=None)) as server:
        url = stored_event(server, 12)
        ask_for_clip(page, server)
        note = page.locator("#detail-clip-note")
        expect(note).to_contain_text("This browser cannot play the clip", timeout=30_000)
        expect(note).to_contain_text("hevc")
        with page.expect_download() as saved:
            note.locator("a").click()
        assert saved.value.path().read_bytes() == server.client.get(url).content
        page.goto("about:blank")
