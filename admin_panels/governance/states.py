"""For every setting of a policy: what applies now and since which level, what is above, and what a level overrules."""

from __future__ import annotations

from typing import Any

from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from smsflow_plugin.governance.effective import merged
from smsflow_plugin.governance.policy import Cap, Effective, Layer, Level, merge
from smsflow_plugin.measurement.setting_words import LEVELS, cap_words, setting_words
from smsflow_plugin.models import Flow, Policy

#: What a column that nobody can read raises.
UNREADABLE = (TypeError, ValueError, KeyError, AttributeError)


class States:
    """The levels around one policy, which may be a draft: two queries, and one for the names of flows."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        of_site = policy.store_id is None
        site = None if of_site else Policy.objects.filter(store=None, live=True).first()
        published = Policy.objects.filter(pk=policy.pk, live=True).first()
        #: What this policy stands on.
        self.above = merge([]) if of_site else merge([_layer(site, Level.SITE)])
        #: What applies now.
        self.now = self._with(site, published)
        #: What would apply if the draft were published.
        self.then = self._with(site, policy)

    def _with(self, site: Policy | None, policy: Policy | None) -> Effective:
        try:
            return merge([policy.layer if policy else Layer(Level.SITE)]) if self._of_site else merged(site, policy)
        except UNREADABLE:
            return self.above

    @property
    def _of_site(self) -> bool:
        return self.policy.store_id is None

    @cached_property
    def flows(self) -> dict[int, str]:
        """The names of the store's flows."""
        return dict(Flow.objects.filter(store=self.policy.store_id).values_list("pk", "name"))

    def above_words(self, name: str) -> str:
        return setting_words(name, getattr(self.above.rules, name), self.flows)

    def now_words(self, name: str) -> str:
        """Return what applies now in words."""
        return setting_words(name, getattr(self.now.rules, name), self.flows)

    def level_words(self, name: str) -> str:
        """Return where what applies now comes from."""
        if name == "stricter_law":
            return self._origin_of_rows()
        return str(LEVELS[self.now.origin[name]])

    def _origin_of_rows(self) -> str:
        """Rows of both levels hold beside each other, so both may have to be named."""
        rows, of_site = (set(level.rules.stricter_law) for level in (self.now, self.above))
        if not rows:
            return str(LEVELS[Level.BUILT_IN])
        if not of_site:
            return _("your stricter rule")
        return str(LEVELS[Level.SITE]) if rows == of_site else _("from the site, and your stricter rule")

    def told(self, name: str) -> SafeString:
        """Return what applies now, and what the level above makes of the draft."""
        now = format_html(
            '<span class="smsflow-setting__now">{}</span>',
            _("Now: %(value)s, %(level)s.") % {"value": self.now_words(name), "level": self.level_words(name)},
        )
        if name not in self.then.overruled:
            return now
        held = setting_words(name, getattr(self.then.rules, name), self.flows)
        overruled = _("The site allows no more than this: %(value)s. That counts.") % {"value": held}
        return format_html('{} <strong class="smsflow-setting__overruled">{}</strong>', now, overruled)

    def overruled_caps(self) -> list[str]:
        """Return a sentence for each cap of the draft in whose place a lower one of the site counts."""
        held = {cap.key: cap for cap in self.then.rules.caps}
        sentences = []
        for cap in self.own_caps():
            counts = held.get(cap.key)
            if counts is not None and counts.limit < cap.limit:
                sentences.append(_("The site allows %(cap)s. That counts.") % {"cap": cap_words(counts, self.flows)})
        return sentences

    def own_caps(self) -> tuple[Cap, ...]:
        try:
            caps: tuple[Cap, ...] = self.policy.layer.values.get("caps", ())
        except UNREADABLE:
            return ()
        return caps


def _layer(policy: Policy | None, level: Level) -> Layer:
    try:
        return policy.layer if policy else Layer(level)
    except UNREADABLE:
        return Layer(level)


def raw(policy: Any, name: str) -> Any:
    """Return a setting of a policy as its layer holds it, None if it sets nothing or cannot be read."""
    try:
        return policy.layer.values.get(name)
    except UNREADABLE:
        return None
