"""Answers the counter below a text: what it comes to, what is wrong with it, which names it may use."""

from __future__ import annotations

import re
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.generic import View
from wagtail.admin.viewsets.base import ViewSet
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.flows.copy_cost import cost
from smsflow_plugin.admin_panels.flows.copy_situation import Situation, of_flow, of_form
from smsflow_plugin.admin_panels.flows.copy_values import longest_context, typical_context
from smsflow_plugin.admin_panels.scoping import may, number, visible
from smsflow_plugin.flows import snippets
from smsflow_plugin.flows.context import known_context, sample_context
from smsflow_plugin.flows.lookups import StoreLookups
from smsflow_plugin.flows.names import names_for
from smsflow_plugin.landing.models import pages_of
from smsflow_plugin.messaging.copy import Composed, CopyError, MissingValue, compose
from smsflow_plugin.messaging.lint import Hint, lint
from smsflow_plugin.messaging.liquid import Problem, check_copy, check_syntax
from smsflow_plugin.messaging.short_links import example_shortener
from smsflow_plugin.messaging.shortening import shortening
from smsflow_plugin.models import Autoresponder, CannedReply, CopySnippet, Flow, Keyword, Store

#: Characters of a text that is looked at; no field of the editor takes more.
MAX_LOOKED_AT = 2000
#: Bytes of a question.
MAX_BODY = 64_000
WRITES = ("add", "change", "reword")


class CopyToolView(View):
    """Reads the question and asks for the right in the store that it is about; everything else is a 404."""

    http_method_names = ["post"]

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            raise Http404
        if int(request.META.get("CONTENT_LENGTH") or 0) > MAX_BODY:
            return JsonResponse({"error": _("This is too long.")}, status=413)
        self.situation = self._situation(request)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[return-value]

    def _situation(self, request: HttpRequest) -> Situation:
        flow_id, store_id = request.POST.get("flow", ""), request.POST.get("store", "")
        flow = self._one(visible(request.user, Flow).select_related("store"), flow_id) if flow_id else None
        if flow is not None:
            store = flow.store
        else:
            store = self._one(Store.objects.visible_to(request.user), store_id) if store_id else None
        if not self._may_write(request.user, store):
            raise Http404
        if flow is not None and "trigger" not in request.POST:
            return of_flow(flow.get_latest_revision_as_object())
        asked = request.POST
        return of_form(store, asked.getlist("trigger"), asked.getlist("gathered"), asked.get("message_class", ""))

    def _one(self, rows: Any, pk: str) -> Any:
        found = rows.filter(pk=number(pk)).first()
        if found is None:
            raise Http404
        return found

    def _may_write(self, user: Any, store: Store | None) -> bool:
        if store is None:
            return bool(policy_registry.get_by_type(Flow).user_has_any_permission(user, WRITES))
        if any(may(user, action, Flow(store=store)) for action in WRITES):
            return True
        return any(
            may(user, "change", model(store=store)) for model in (CopySnippet, Keyword, Autoresponder, CannedReply)
        )


class LookView(CopyToolView):
    """Counts a text for typical and for long values, and says what is wrong with it or could be better."""

    def post(self, request: HttpRequest) -> HttpResponse:
        source, language = request.POST.get("copy", ""), request.POST.get("language", "")[:12]
        if len(source) > MAX_LOOKED_AT:
            return JsonResponse({"error": _("This is too long.")}, status=413)
        situation = self.situation
        is_text, has_fallback = request.POST.get("kind") != "mail", bool(request.POST.get("has_fallback"))
        expanded, missing = expand(source, situation.store, language)
        typical = longest = None
        if is_text:
            typical = self._composed(expanded, language, typical_context)
            longest = self._composed(expanded, language, longest_context)
        problems = [*missing, *self._problems(source, expanded, has_fallback)]
        if request.POST.get("kind") == "snippet":
            problems = [_problem(problem, source) for problem in check_syntax(source)]
        hints = lint(
            source,
            language,
            marketing=situation.marketing and is_text,
            parts=typical.parts if typical else None,
        )
        return JsonResponse(
            {
                "typical": self._count(typical, show=True),
                "longest": self._count(longest),
                "problems": problems,
                "hints": [_hint(hint) for hint in hints],
            }
        )

    def _composed(self, source: str, language: str, values: Any) -> Composed | None:
        situation = self.situation
        store = situation.store
        try:
            return compose(
                {"": source},
                {},
                language,
                values(store, situation.kinds, situation.gathered),
                brand=store.brand if store else "",
                message_class="marketing" if situation.marketing or situation.answer else "service",
                add_opt_out=not situation.answer,
                main_language=language or (store.language if store else ""),
                # what answers by itself is no flow's text: its addresses stay
                shorten=None if situation.answer else shortening(example_shortener(store)),
            )
        except (CopyError, MissingValue):
            return None

    def _count(self, composed: Composed | None, *, show: bool = False) -> dict[str, Any] | None:
        if composed is None:
            return None
        counted = composed.parts
        answer: dict[str, Any] = {
            "characters": counted.characters,
            "units": counted.units,
            "parts": counted.parts,
            "encoding": counted.encoding,
            "forced_by": list(counted.forced_by),
            "cost": cost(counted.parts, self.situation.store),
        }
        # the longest values are those of real people: only what they count to is told
        return {**answer, "text": composed.text} if show else answer

    def _problems(self, source: str, expanded: str, has_fallback: bool) -> list[dict[str, Any]]:
        context = known_context if has_fallback else sample_context
        problems = check_copy(expanded, context(self.situation.kinds, self.situation.gathered))
        return [_problem(problem, source if source == expanded else "") for problem in problems]


class NamesView(CopyToolView):
    """The names that fit what starts the flow, and the store's snippets."""

    def post(self, request: HttpRequest) -> HttpResponse:
        return JsonResponse({"names": names(self.situation)})


def names(situation: Situation) -> list[dict[str, Any]]:
    """Return what the picker offers: each name with an example, and the snippets behind them."""
    context = typical_context(situation.store, situation.kinds, situation.gathered)
    offered = [
        {"path": name.path, "example": _example(context, name.path), "optional": name.optional}
        for name in names_for(situation.kinds, situation.gathered)
    ]
    # a snippet is put in when a flow is published; what answers by itself is not
    with_snippets = situation.store and not situation.answer
    shared = CopySnippet.objects.filter(store=situation.store) if with_snippets else ()
    pages = landing_pages(situation.store) if situation.store else []
    return (
        offered
        + [
            {
                "path": snippet.name,
                "example": snippet.text[:60],
                "optional": False,
                "insert": f"{{% render '{snippet.name}' %}}",
            }
            for snippet in shared
        ]
        + pages
    )


def landing_pages(store: Store) -> list[dict[str, Any]]:
    """Return the store's landing pages: choosing one puts its address into the text."""
    return [
        {"path": page.title, "example": page.address, "optional": False, "insert": page.address}
        for page in pages_of(store)
    ]


def expand(source: str, store: Store | None, language: str) -> tuple[str, list[dict[str, Any]]]:
    """Return ``source`` with snippets in place of their names, and what is wrong with those names."""
    find = StoreLookups(store.pk).snippet if store else (lambda name: None)
    problems = [
        {
            "message": _("There is no snippet called “%(name)s”.") % {"name": found["name"]},
            "start": found.start(),
            "end": found.end(),
            "where": "",
        }
        for found in snippets.RENDER.finditer(source)
        if find(found["name"]) is None
    ]
    return snippets.expand(source, language, lambda name: find(name) or {"": ""}), problems


def _example(context: Any, dotted: str) -> str:
    value = context
    for key in re.findall(r"[^.\[\]]+", dotted):
        try:
            value = value[int(key)] if isinstance(value, list) else value[key]
        except (KeyError, IndexError, TypeError, ValueError):
            return ""
    return "" if value is None or isinstance(value, (dict, list)) else str(value)


def _hint(hint: Hint) -> dict[str, Any]:
    return {"message": hint.message, "start": hint.start, "end": hint.end, "code": hint.code, "where": ""}


def _problem(problem: Problem, source: str) -> dict[str, Any]:
    """Return a problem with the span to mark, from where it is to the end of the markup; no span without source."""
    if not problem.line:
        return {"message": problem.message, "start": 0, "end": 0, "where": ""}
    where = _("line %(line)d, column %(column)d") % {"line": problem.line, "column": problem.column}
    if not source:
        return {"message": problem.message, "start": 0, "end": 0, "where": where}
    plain = source.replace("\r\n", "\n")
    start = sum(len(line) + 1 for line in plain.split("\n")[: problem.line - 1]) + problem.column - 1
    closed = re.compile(r"\}\}|%\}|\n|$").search(plain, start)
    end = closed.start() if closed else len(plain)
    return {"message": problem.message, "start": start, "end": max(end, start + 1), "where": where}


class CopyToolsViewSet(ViewSet):  # type: ignore[misc]
    """The addresses that the counter asks. They have no page and no entry in the menu."""

    name = "smsflow_copy"
    url_prefix = "smsflow/copy"
    add_to_admin_menu = False

    def get_urlpatterns(self) -> list[URLPattern]:
        return [path("look/", LookView.as_view(), name="look"), path("names/", NamesView.as_view(), name="names")]
