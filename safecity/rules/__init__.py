"""One rule a file, pure. The module's name is the rule's ``kind``; a new file is a new rule.

A rule module offers ``Settings`` (a :class:`~safecity.rules.base.RuleSettings` whose ``kind`` is the
module's name) and ``build(settings, scene)``, which gives a :class:`~safecity.rules.base.Rule`, or for a
rule over other rules a :class:`~safecity.rules._combination.Combination`. Modules whose names begin with
``_`` hold what rules share.
"""

from collections.abc import Sequence

from safecity.plugins import load_plugin, plugin_names
from safecity.rules._in_force import RuleInForce
from safecity.rules.base import Rule, RuleSettings, Scene

__all__ = ["Rule", "RuleInForce", "RuleSettings", "Scene", "build_rule", "rule_kinds", "rule_settings_types"]


def rule_kinds() -> list[str]:
    """The kinds of rule that there are."""
    return [name for name in plugin_names("safecity.rules") if name != "base"]


def rule_settings_types() -> Sequence[type[RuleSettings]]:
    """The settings type of every kind, for the camera's discriminated union."""
    return [load_plugin("safecity.rules", kind).Settings for kind in rule_kinds()]


def build_rule(settings: RuleSettings, scene: Scene) -> RuleInForce:
    """The rule that ``settings`` describe, ready for the first observation of ``scene``."""
    rule = load_plugin("safecity.rules", settings.kind).build(settings, scene)
    return RuleInForce(rule, settings, scene)
