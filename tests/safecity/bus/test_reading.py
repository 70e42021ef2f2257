"""A topic read once, from its oldest record to the newest that it has when the reading begins."""

from itertools import islice

import pytest

from safecity.bus.port import BusUnavailableError
from safecity.bus.reading import read_to_end
from tests.safecity.bus.backends import publish

KEYS = ("gate", "yard", "hall", "roof", "dock")


def of_key(records, key):
    return [record.value for record in records if record.key == key]


def test_all_that_there_is_comes_once_in_order_for_each_key(backend):
    wanted = {key: [f"{key} {n}".encode() for n in range(40)] for key in KEYS}
    with backend.open() as bus:
        publish(bus, wanted, "observations")
        records = list(read_to_end(bus, "observations"))
    assert len(records) == 40 * len(KEYS)
    assert {key: of_key(records, key) for key in KEYS} == wanted


def test_what_is_published_while_it_is_read_is_not_waited_for(backend):
    with backend.open() as bus:
        publish(bus, {key: [b"before"] * 3 for key in KEYS}, "observations")
        reading = read_to_end(bus, "observations")
        first = list(islice(reading, 1))
        publish(bus, {key: [b"after"] * 3 for key in KEYS}, "observations")
        values = [record.value for record in (*first, *reading)]
    assert values == [b"before"] * 3 * len(KEYS)


def test_of_an_empty_topic_nothing_comes(backend):
    with backend.open() as bus:
        assert list(read_to_end(bus, "observations")) == []


@pytest.mark.parametrize("backend", ["memory"], indirect=True)
def test_a_bus_that_is_away_is_said(backend):
    with backend.open() as bus:
        publish(bus, {"gate": [b"1"]}, "observations")
        with backend.unavailable(), pytest.raises(BusUnavailableError):
            list(read_to_end(bus, "observations"))
