"""How many people match the rules in a form, while they are typed in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.forms import Media
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views import View
from wagtail.admin.panels import Panel
from wagtail.blocks import StreamValue

from smsflow_plugin import clock
from smsflow_plugin.admin_panels.scoping import may, number, visible
from smsflow_plugin.audience.filters import BadCondition, Condition
from smsflow_plugin.engine.selection import NotSelectable, select
from smsflow_plugin.events.kinds import KINDS
from smsflow_plugin.flows.condition_compiler import ConditionCompiler, Segments
from smsflow_plugin.flows.lookups import StoreLookups
from smsflow_plugin.flows.problems import Path
from smsflow_plugin.models import Contact, Flow, Segment, Store

#: People that are listed.
MOST_LISTED = 50

#: The field that holds the rules, by model.
FIELDS: dict[type[Any], str] = {Flow: "audience", Segment: "rules"}


class AudienceCountPanel(Panel):  # type: ignore[misc]
    """Shows how many people match the rules of the form around it, and who they are."""

    class BoundPanel(Panel.BoundPanel):  # type: ignore[misc]
        template_name = "smsflow/audience/panel.html"

        def get_context_data(self, parent_context: Any = None) -> dict[str, Any]:
            context: dict[str, Any] = super().get_context_data(parent_context)
            context["count_url"] = reverse("smsflow_segments:count", args=[self.instance._meta.model_name])
            context["pk"] = self.instance.pk or ""
            return context

        @property
        def media(self) -> Media:
            return Media(js=["smsflow/audience-controller.js"], css={"all": ["smsflow/admin.css"]})


class AudienceCountView(View):
    """Answers with a piece of a page. Takes a form as it stands: what is unfinished does not count yet."""

    http_method_names = ["post"]

    def post(self, request: HttpRequest, model: str) -> HttpResponse:
        kind = next((kind for kind in FIELDS if kind._meta.model_name == model), None)
        if kind is None:
            raise Http404
        instance = self._instance(kind)
        may_list = may(request.user, "view", Contact(store_id=instance.store_id))
        # a count by rules of one's own choice tells anything about anybody
        if not may_list and not any(may(request.user, action, instance) for action in ("add", "change")):
            raise PermissionDenied
        if f"{FIELDS[kind]}-count" not in request.POST:
            return HttpResponseBadRequest()
        context = audience_context(
            instance,
            self._rules(kind),
            may_list=may_list,
            listed=bool(request.POST.get("audience-list")),
        )
        return TemplateResponse(request, "smsflow/audience/count.html", context)

    def _instance(self, kind: type[Any]) -> Any:
        """Return the object that is edited, or a new one in the store that was chosen: the user's own."""
        if pk := self.request.POST.get("audience-pk"):
            found = visible(self.request.user, kind).filter(pk=number(pk)).first()
        else:
            stores = Store.objects.visible_to(self.request.user)
            own = stores.filter(pk=number(self.request.POST.get("store") or "")).first()
            found = kind(store=own) if own else None
        if found is None:
            raise Http404
        return found

    def _rules(self, kind: type[Any]) -> StreamValue:
        block = kind._meta.get_field(FIELDS[kind]).stream_block
        return block.value_from_datadict(self.request.POST, self.request.FILES, FIELDS[kind])


def audience_context(instance: Flow | Segment, rules: Any, *, may_list: bool, listed: bool) -> dict[str, Any]:
    """Return how many people match ``rules`` in the store of ``instance``, and who, if that is asked."""
    condition, unfinished = finished(instance, rules)
    context: dict[str, Any] = {"unfinished": unfinished, "may_list": may_list, "listed": listed}
    try:
        people = _select(instance, condition)
        context["count"] = people.count()
        if listed and may_list:
            context["people"] = people.order_by("-created_at", "-pk")[:MOST_LISTED]
            context["more"] = max(context["count"] - MOST_LISTED, 0)
    except NotSelectable as refusal:
        context["refusal"] = _("They cannot be counted. %(reason)s") % {"reason": refusal}
    except BadCondition:
        context["refusal"] = _("They cannot be counted: a rule is not complete.")
    return context


def _select(instance: Flow | Segment, condition: Condition) -> QuerySet[Contact]:
    flow_id = instance.pk if isinstance(instance, Flow) else None
    return select(condition, store_id=instance.store_id, now=clock.now(), flow_id=flow_id)


def finished(instance: Flow | Segment, rules: Any, *, segments: Segments | None = None) -> tuple[Condition, int]:
    """Return the condition of those rules that are filled in, and how many are not.

    A group counts as one rule. ``segments`` finds the rules of other segments of the store.
    """
    problems: list[str] = []

    def report(path: Path, message: str) -> None:
        problems.append(message)

    compiler = ConditionCompiler(
        _triggers(instance),
        report,
        segments=segments or StoreLookups(instance.store_id).segments,
        segment_id=instance.pk or 0 if isinstance(instance, Segment) else None,
    )
    parts: list[Condition] = []
    unfinished = 0
    for rule in _one_by_one(rules):
        problems.clear()
        part = compiler.compile(rule) if rule is not None else None
        if part is None or problems:
            unfinished += 1
        else:
            parts.append(part)
    return {"all": parts}, unfinished


def _one_by_one(rules: StreamValue) -> Iterator[StreamValue | None]:
    """Yield each rule as a list of its own, with the values that a form gives; None if they make no sense."""
    for child in rules:
        alone = StreamValue(rules.stream_block, [(child.block_type, child.value, child.id)])
        try:
            yield rules.stream_block.clean_deferred(alone)
        except ValidationError:
            yield None


def _triggers(instance: Flow | Segment) -> list[str]:
    # rules about the trigger can only be answered in a run: that is said, and is no mistake of the form
    return list(KINDS) if isinstance(instance, Flow) else []
