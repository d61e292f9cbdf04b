"""Where the pages of opt-in forms are found."""

from __future__ import annotations

from typing import Any

from django.db.models import Count, Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from django.utils.functional import cached_property
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin import messages
from wagtail.admin.panels import FieldPanel, FieldRowPanel, MultiFieldPanel, ObjectList
from wagtail.admin.ui.tables import BooleanColumn, Column
from wagtail.admin.views import generic
from wagtail.admin.viewsets.model import ModelViewSet
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.listing import WIDE, ListView, StoreFilterSet
from smsflow_plugin.admin_panels.objects import ObjectOperationView
from smsflow_plugin.admin_panels.scoping import ScopedViewSetMixin, may
from smsflow_plugin.admin_panels.segments.viewset import ScopedChooserViewSet
from smsflow_plugin.admin_panels.signup.figures import by_day, open_pauses
from smsflow_plugin.admin_panels.signup.forms import OptInFormForm, field_name
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.flows.copy_blocks import LANGUAGE_CHOICES
from smsflow_plugin.models import OptInForm, OptInPause
from smsflow_plugin.signup.actions import ResumeSignUps
from smsflow_plugin.signup.guard import LET_IN
from smsflow_plugin.signup.views import website_origins

#: Versions of its words that a form's page shows.
VERSIONS = 30


def page_url(form: OptInForm) -> str:
    """Return the public address of a form."""
    return f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow:join', args=[form.token])}"


def form_url(form: OptInForm) -> str:
    """Return the address of the form's page in the admin."""
    return reverse("smsflow_opt_in_forms:inspect", args=[form.pk])


def embed_code(form: OptInForm) -> str:
    """Return what a shop puts into its page."""
    url = f"{smsflow_settings.PUBLIC_URL}{reverse('smsflow:join_script', args=[form.token])}"
    return f'<script src="{url}" async></script>'


PANELS = [
    MultiFieldPanel(
        [
            FieldRowPanel([FieldPanel("name"), FieldPanel("store")]),
            FieldPanel("programme"),
            FieldPanel("active"),
        ],
        heading=gettext_lazy("Form"),
    ),
    MultiFieldPanel(
        [
            FieldPanel("heading"),
            FieldPanel("introduction"),
            FieldPanel("button"),
            FieldPanel("success"),
            FieldRowPanel([FieldPanel("ask_first_name"), FieldPanel("ask_email")]),
        ],
        heading=gettext_lazy("What it says"),
        help_text=gettext_lazy(
            "In the store's language. What is empty gets the standard words, as do other languages."
        ),
    ),
    MultiFieldPanel(
        [FieldPanel("terms_url"), FieldPanel("privacy_url"), FieldPanel("also")],
        heading=gettext_lazy("What people agree to"),
        help_text=gettext_lazy(
            "The standard text names your brand, cart reminders, that consent is no condition of purchase, how often, "
            "what it may cost, HELP and STOP. It stands beside a box that nobody has ticked beforehand."
        ),
    ),
    MultiFieldPanel(
        [FieldPanel(field_name(language)) for language, _label in LANGUAGE_CHOICES],
        heading=gettext_lazy("Texts of your own instead of the standard ones"),
        classname="collapsed",
        help_text=gettext_lazy("Have your counsel read them. Empty means the standard text."),
    ),
    MultiFieldPanel(
        [FieldPanel("level"), FieldPanel("countries"), FieldPanel("tags"), FieldPanel("origins")],
        heading=gettext_lazy("Who, and where"),
    ),
]


class OptInFormFilterSet(StoreFilterSet):
    class Meta:
        model = OptInForm
        fields = ["store"]


class OptInFormListView(ListView):
    any_permission_required = ["add", "change", "view"]
    select_related = ("store",)
    default_ordering = "name"

    def get_base_queryset(self) -> Any:
        taken = Q(attempts__outcome__in=sorted(outcome.value for outcome in LET_IN))
        return (
            super()
            .get_base_queryset()
            .annotate(taken=Count("attempts", filter=taken), confirmed=Count("attempts__confirmed_at"))
        )


class OptInFormCreateView(generic.CreateView):  # type: ignore[misc]
    def get_success_url(self) -> str:
        return form_url(self.object)

    def get_success_buttons(self) -> list[Any]:
        return []


class OptInFormEditView(generic.EditView):  # type: ignore[misc]
    def get_success_url(self) -> str:
        return form_url(self.object)

    def get_success_buttons(self) -> list[Any]:
        return []

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        return [HeaderButton(_("Address and figures"), url=form_url(self.object), icon_name="info-circle")]


class OptInFormPage(generic.InspectView):  # type: ignore[misc]
    """How to use a form, what came of it, and every version of its words."""

    template_name = "smsflow/signup/form.html"
    any_permission_required = ["add", "change", "view"]
    page_title = gettext_lazy("Opt-in form")

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        buttons = [HeaderButton(_("Open the form"), url=page_url(self.object), icon_name="view")]
        if may(self.request.user, "change", self.object):
            edit = reverse(self.edit_url_name, args=[self.object.pk])
            buttons.append(HeaderButton(_("Edit"), url=edit, icon_name="edit"))
        return buttons

    def get_fields_context(self) -> list[Any]:
        return []

    def get_breadcrumbs_items(self) -> list[dict[str, Any]]:
        return [
            *self.breadcrumbs_items,
            {"url": reverse(self.index_url_name), "label": capfirst(self.model._meta.verbose_name_plural)},
            {"url": "", "label": str(self.object)},
        ]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        form = self.object
        context.update(
            page_url=page_url(form),
            embed_code=embed_code(form),
            origins=website_origins(form),
            days=by_day(form),
            pauses=open_pauses(form),
            may_change=may(self.request.user, "change", form),
            versions=form.versions.order_by("-created_at", "-pk")[:VERSIONS],
        )
        return context


class ResumeView(ObjectOperationView):
    """Lets numbers be asked again that were stopped."""

    model = OptInForm
    permission_required = "change"

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        pause = OptInPause.objects.filter(store_id=self.object.store_id, pk=kwargs["pause"]).first()
        if pause is None:
            raise Http404
        # the view has checked the right for this form
        ResumeSignUps(self.object, request.user, pause=pause).execute(skip_permission_checks=True)
        messages.success(request, _("Numbers like these are asked again."))
        return redirect(form_url(self.object))


class OptInFormChooserViewSet(ScopedChooserViewSet):
    """Chooses a form of the user's own stores. Registers itself for every foreign key to a form."""

    model = OptInForm
    icon = "form"
    choose_one_text = gettext_lazy("Choose an opt-in form")
    choose_another_text = gettext_lazy("Choose another opt-in form")
    edit_item_text = gettext_lazy("Edit this opt-in form")
    per_page = 20

    def get_urlpatterns(self) -> list[URLPattern]:
        return [pattern for pattern in super().get_urlpatterns() if pattern.name != "create"]


class OptInFormViewSet(ScopedViewSetMixin, ModelViewSet):  # type: ignore[misc]
    """Forms are closed rather than deleted: the words that stood on them are proof."""

    model = OptInForm
    name = "smsflow_opt_in_forms"
    url_prefix = "smsflow/opt-in-forms"
    icon = "form"
    menu_label = gettext_lazy("Opt-in forms")
    menu_order = 218
    index_view_class = OptInFormListView
    add_view_class = OptInFormCreateView
    edit_view_class = OptInFormEditView
    inspect_view_class = OptInFormPage
    inspect_view_enabled = True
    inspect_template_name = "smsflow/signup/form.html"
    copy_view_enabled = False
    add_to_reference_index = False
    filterset_class = OptInFormFilterSet
    search_fields = ["name", "programme"]
    search_backend_name = None
    list_per_page = 20
    list_display = [
        "name",
        Column("store", label=gettext_lazy("Store"), classname=WIDE, sort_key="store__name"),
        BooleanColumn("active", label=gettext_lazy("Open")),
        Column("taken", label=gettext_lazy("Signed up or asked"), sort_key="taken"),
        Column("confirmed", label=gettext_lazy("Confirmed"), sort_key="confirmed"),
    ]

    def get_edit_handler(self) -> Any:
        return ObjectList(PANELS, base_form_class=OptInFormForm).bind_to_model(self.model)

    def get_common_view_kwargs(self, **kwargs: Any) -> dict[str, Any]:
        common: dict[str, Any] = super().get_common_view_kwargs(**kwargs)
        return {**common, "usage_url_name": None, "delete_url_name": None}

    def get_urlpatterns(self) -> list[URLPattern]:
        kept = [one for one in super().get_urlpatterns() if one.name not in ("delete", "usage", "usage_results")]
        return [
            *kept,
            path("<int:pk>/resume/<int:pause>/", self.construct_view(ResumeView), name="resume"),
        ]
