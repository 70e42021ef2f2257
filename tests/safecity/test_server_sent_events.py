"""Streams of server-sent events, as the specification has them."""

from safecity.server_sent_events import ServerSentEvent, read_messages


def read(text):
    return list(read_messages(text.split("\n")))


def test_messages_end_at_empty_lines_and_keep_their_id_and_kind():
    text = "retry: 1000\n\nid: 7\nevent: event\ndata: {}\n\nevent: status\ndata: 1\n\n"
    assert read(text) == [ServerSentEvent("event", "{}", "7"), ServerSentEvent("status", "1", "7")]


def test_the_specifications_own_examples():
    assert read("data: YHOO\ndata: +2\ndata: 10\n\n") == [ServerSentEvent("message", "YHOO\n+2\n10", "")]
    assert read(": test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\n") == [
        ServerSentEvent("message", "first event", "1"),
        ServerSentEvent("message", "second event", ""),
    ]


def test_a_message_that_is_not_ended_is_not_given():
    assert read("data: half") == []
