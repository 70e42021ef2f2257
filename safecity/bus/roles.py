"""Who may do what on the bus: one user of Kafka for each role, with what it needs and no more."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Resource(StrEnum):
    """What a permission is about; the values are options of ``kafka-acls.sh``."""

    TOPIC = "topic"
    GROUP = "group"


@dataclass(frozen=True)
class Role:
    """What one kind of process, or of people, does on the bus. Topics and groups are without prefix."""

    name: str
    does: str
    writes: tuple[str, ...] = ()
    reads: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    """Groups that it is a member of."""
    tends: bool = False
    """Makes topics and changes their settings."""
    watches: bool = False
    """Sees how far every group has read."""

    @property
    def user(self) -> str:
        """Its user on the bus."""
        return f"safecity-{self.name}"


ROLES = (
    Role(
        "worker",
        "reads its cameras, publishes what it sees",
        writes=("events", "snapshots", "observations", "status", "previews", "owners", "dead-letter"),
        reads=("cameras", "owners"),
        groups=("safecity-workers",),
    ),
    Role(
        "centre",
        "stores what is published, and puts aside what it cannot read",
        writes=("dead-letter",),
        reads=("events", "snapshots", "replays", "status", "previews", "cameras", "owners"),
        groups=("safecity-centre",),
    ),
    Role(
        "ops",
        "makes topics, adds and moves cameras, watches lag and dead letters",
        writes=("cameras", "owners"),
        reads=("cameras", "owners", "status", "dead-letter"),
        tends=True,
        watches=True,
    ),
    Role(
        "analyst",
        "asks stored observations again, publishes runs of replays",
        writes=("replays",),
        reads=("observations",),
    ),
    Role("scaler", "looks how far behind the centres are, to start more of them", watches=True),
)


@dataclass(frozen=True)
class Permission:
    """One ACL of Kafka: who may do what with which resource."""

    user: str
    operation: str
    resource: Resource
    name: str
    prefixed: bool = False
    """Whether ``name`` is the beginning of the names that it is about."""


def permissions(prefix: str, roles: Sequence[Role] = ROLES) -> Iterator[Permission]:
    """The ACLs of the roles, for topics and groups that begin with ``prefix``.

    Writing needs no permission on the cluster for idempotence (KIP-679), and every role sees which topics
    there are, so that a missing topic is not taken for a missing permission.
    """
    for role in roles:
        yield Permission(role.user, "Describe", Resource.TOPIC, prefix, prefixed=True)
        for topic in role.writes:
            yield Permission(role.user, "Write", Resource.TOPIC, prefix + topic)
        for topic in role.reads:
            yield Permission(role.user, "Read", Resource.TOPIC, prefix + topic)
        for group in role.groups:
            yield Permission(role.user, "Read", Resource.GROUP, prefix + group)
        if role.tends:
            for operation in ("Create", "DescribeConfigs", "AlterConfigs"):
                yield Permission(role.user, operation, Resource.TOPIC, prefix, prefixed=True)
        if role.watches:
            yield Permission(role.user, "Describe", Resource.GROUP, prefix, prefixed=True)


def acl_commands(prefix: str, server: str, roles: Sequence[Role] = ROLES) -> Iterator[str]:
    """The same as lines for a shell, for the ``kafka-acls.sh`` that comes with Apache Kafka."""
    merged: dict[tuple[str, str, Resource, bool], list[str]] = {}
    for each in permissions(prefix, roles):
        key = (each.user, each.operation, each.resource, each.prefixed)
        merged.setdefault(key, []).append(each.name)
    user = ""
    for (who, operation, resource, prefixed), names in merged.items():
        if who != user:
            user = who
            yield f"# {user}: {next(role.does for role in roles if role.user == user)}"
        named = " ".join(f"--{resource.value} '{name}'" for name in names)
        pattern = " --resource-pattern-type prefixed" if prefixed else ""
        yield (
            f"kafka-acls.sh --bootstrap-server {server} --command-config admin.properties --add "
            f"--allow-principal User:{who} --operation {operation} {named}{pattern}"
        )
