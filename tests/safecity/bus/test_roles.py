"""The roles on the bus, against what the code reads, writes and joins; and as commands for a shell."""

import shlex
import subprocess
import sys

import pytest

from command_center import consumer
from safecity.bus.port import TOPICS
from safecity.bus.roles import ROLES, Resource, acl_commands, permissions

BY_NAME = {role.name: role for role in ROLES}


def test_the_centre_may_read_what_it_reads_join_its_group_and_bury_what_it_cannot_read():
    centre = BY_NAME["centre"]
    assert set(consumer.TOPICS) <= set(centre.reads)
    assert consumer.GROUP in centre.groups
    assert centre.writes == ("dead-letter",)


def test_every_topic_has_somebody_who_writes_it_and_only_ops_make_topics():
    assert {topic for role in ROLES for topic in role.writes} >= set(TOPICS)
    assert {each.user for each in permissions("p.") if each.operation == "Create"} == {"safecity-ops"}


def test_no_permission_goes_beyond_the_prefix_or_to_the_cluster():
    for each in permissions("p."):
        assert each.name.startswith("p.")
        assert each.resource in (Resource.TOPIC, Resource.GROUP)
        assert each.operation not in ("All", "Alter", "Delete", "ClusterAction")


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_the_commands_say_the_same_as_the_permissions(role):
    said = set()
    for line in acl_commands("p.", "kafka:9093", [role]):
        if line.startswith("#"):
            continue
        words = shlex.split(line)
        operation = words[words.index("--operation") + 1]
        user = words[words.index("--allow-principal") + 1].removeprefix("User:")
        prefixed = "--resource-pattern-type" in words
        for option in (Resource.TOPIC, Resource.GROUP):
            for at in (n for n, word in enumerate(words) if word == f"--{option.value}"):
                said.add((user, operation, option, words[at + 1], prefixed))
    assert said == {
        (each.user, each.operation, each.resource, each.name, each.prefixed)
        for each in permissions("p.", [role])
    }


def test_an_unknown_role_is_told_which_there_are():
    refused = subprocess.run(
        [sys.executable, "-m", "safecity", "kafka", "acls", "--role", "god"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert refused.returncode == 2
    assert "worker, centre, ops, analyst, scaler" in refused.stderr
