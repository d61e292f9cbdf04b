"""The pages of a store."""

from __future__ import annotations

import uuid
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import conditional_escape
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.generic import View
from wagtail.admin import messages
from wagtail.admin.views.generic import CreateView, EditView
from wagtail.admin.views.generic.base import BaseObjectMixin
from wagtail.admin.views.generic.history import HistoryView
from wagtail.admin.views.generic.permissions import PermissionCheckedMixin
from wagtail.admin.widgets.button import HeaderButton

from smsflow_plugin.admin_panels.governance.pages import home_url
from smsflow_plugin.admin_panels.listing import ListView
from smsflow_plugin.admin_panels.objects import ObjectFormView
from smsflow_plugin.admin_panels.scoping import may
from smsflow_plugin.admin_panels.shopify.views import shopify_url
from smsflow_plugin.admin_panels.stores.forms import PeopleForm, TestTextForm
from smsflow_plugin.admin_panels.stores.helpdesk import helpdesk_url
from smsflow_plugin.admin_panels.stores.sender_views import lines_of
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.integrations.outgoing.webhook import secret_of
from smsflow_plugin.messaging.actions import SendTestText
from smsflow_plugin.messaging.connections import Gateways
from smsflow_plugin.messaging.gateway import GatewayUnavailable
from smsflow_plugin.models import Autoresponder, Connection, Message, Policy, Sender, Store, StoreMembership
from smsflow_plugin.stores.actions import SetMembership
from smsflow_plugin.stores.roles import assignable_roles


class StoreListView(ListView):
    any_permission_required = ["add", "change"]
    default_ordering = "name"

    def get_base_queryset(self) -> Any:
        return super().get_base_queryset().prefetch_related("connections")


class StoreCreateView(CreateView):  # type: ignore[misc]
    def get_success_url(self) -> str:
        return self.get_edit_url()


class StoreEditView(EditView):  # type: ignore[misc]
    template_name = "smsflow/stores/edit.html"
    test_text_url_name = ""
    check_url_name = ""
    make_secret_url_name = ""

    def get_success_url(self) -> str:
        return self.get_edit_url()

    def get_success_buttons(self) -> list[Any]:
        return []

    @cached_property
    def header_buttons(self) -> list[HeaderButton]:
        user, buttons = self.request.user, []
        if may(user, "add", Message(store=self.object)):
            url = reverse(self.test_text_url_name, args=(self.object.pk,))
            buttons.append(HeaderButton(_("Send test text"), url=url, icon_name="mail"))
        if may(user, "view", Sender(store=self.object)):
            url = reverse("smsflow_stores:senders", args=(self.object.pk,))
            buttons.append(HeaderButton(_("Senders"), url=url, icon_name="comment"))
        buttons.append(HeaderButton("Shopify", url=shopify_url(self.object), icon_name="link"))
        policy = Policy.objects.visible_to(user).filter(store=self.object).first()
        if policy is not None:
            buttons.append(HeaderButton(_("Governance"), url=home_url(user, policy), icon_name="sliders"))
        if Connection.objects.filter(store=self.object, kind="shopify").exists():
            url = reverse("smsflow_store_sync:index", args=(self.object.pk,))
            buttons.append(HeaderButton(_("Shopify sync"), url=url, icon_name="history"))
        if may(user, "change", Connection(store=self.object)):
            buttons.append(HeaderButton(_("Help desk"), url=helpdesk_url(self.object), icon_name="help"))
        responder = Autoresponder(store=self.object)
        if may(user, "change", responder):
            url = f"{reverse('smsflow_autoresponders:index')}?store={self.object.pk}"
            buttons.append(HeaderButton(_("Autoresponder"), url=url, icon_name="mail"))
        return buttons

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context_data(**kwargs)
        context["check_url"] = reverse(self.check_url_name, args=(self.object.pk,))
        context["make_secret_url"] = reverse(self.make_secret_url_name, args=(self.object.pk,))
        context["may_make_secret"] = self.form.may(Connection) and "webhook" not in self.form.connections
        context["may_check"] = any(kind in self.form.connections for kind in smsflow_settings.GATEWAYS)
        return context


class StoreHistoryView(HistoryView):  # type: ignore[misc]
    any_permission_required = ["change"]


class TestTextView(ObjectFormView):
    __test__ = False

    model = Store
    form_class = TestTextForm
    any_permission_required = ["add", "change", "view"]
    page_title = gettext_lazy("Send test text")
    template_name = "smsflow/stores/test_text.html"
    submit_button_label = gettext_lazy("Send")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "add", Message(store=self.object)):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "senders": [line.standing.address for line in lines_of(self.object)]}

    def get_initial(self) -> dict[str, Any]:
        return {
            "sender": self.request.GET.get("sender", ""),
            "body": _("%(brand)s: this is a test.") % {"brand": self.object.brand},
            "key": uuid.uuid4(),
        }

    def form_valid(self, form: TestTextForm) -> HttpResponse:
        cleaned = form.cleaned_data
        action = SendTestText(
            self.object,
            self.request.user,
            to=cleaned["to"],
            body=cleaned["body"],
            key=str(cleaned["key"]),
            sender=cleaned.get("sender", ""),
        )
        try:
            message = action.execute()
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        url = reverse("smsflow_messages:inspect", args=(message.pk,))
        messages.success(
            self.request,
            _("The text to %(number)s waits to be sent. Its page shows what becomes of it.") % {"number": message.to},
            buttons=[messages.button(url, _("Show the text"))],
        )
        response: HttpResponse = super().form_valid(form)
        return response


class CheckConnectionView(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    """Asks the gateway whether the connection works. It is a call over the network: never in a transaction."""

    model = Store
    permission_required = "change"
    http_method_names = ["post"]
    edit_url_name = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        kinds = list(smsflow_settings.GATEWAYS)
        found = Connection.objects.filter(store=self.object, kind__in=kinds).order_by("pk")
        ids = list(found.values_list("pk", flat=True))
        if not ids:
            messages.warning(request, _("This store is not connected to a gateway yet."))
        gateways = Gateways(ids)
        for pk in ids:
            try:
                sentence = gateways[pk].check()
            except GatewayUnavailable as error:
                messages.error(request, conditional_escape(str(error)))
            else:
                messages.success(request, conditional_escape(sentence))
        return self._back()

    def _back(self) -> HttpResponse:
        return redirect(reverse(self.edit_url_name, args=(self.object.pk,)))


class MakeSecretView(PermissionCheckedMixin, BaseObjectMixin, View):  # type: ignore[misc]
    """Makes the secret that the store's webhooks are signed with."""

    http_method_names = ["post"]
    model = Store
    permission_required = "change"
    edit_url_name = ""

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "change", Connection(store=self.object)):
            raise PermissionDenied
        secret_of(self.object)
        messages.success(request, _("The secret is made. It stands under “Other systems”."))
        return redirect(reverse(self.edit_url_name, args=(self.object.pk,)))


class PeopleView(ObjectFormView):
    model = Store
    form_class = PeopleForm
    any_permission_required = ["add", "change", "view"]
    page_title = gettext_lazy("People")
    template_name = "smsflow/stores/people.html"
    submit_button_label = gettext_lazy("Save")

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not may(request.user, "change", StoreMembership(store=self.object)):
            raise PermissionDenied
        response: HttpResponse = super().dispatch(request, *args, **kwargs)
        return response

    def get_form_kwargs(self) -> dict[str, Any]:
        roles = assignable_roles(self.request.user, self.object)
        memberships = self.object.memberships.select_related("user", "role").order_by("role__name", "pk")
        return {
            **super().get_form_kwargs(),
            "memberships": list(memberships),
            "roles": Group.objects.filter(pk__in=[role.pk for role in roles]).order_by("name"),
        }

    def form_valid(self, form: PeopleForm) -> HttpResponse:
        try:
            with transaction.atomic():
                self._save(form)
        except ValidationError as error:
            form.add_error(None, error)
            return self.form_invalid(form)
        messages.success(self.request, _("The people of %(store)s are saved.") % {"store": self.object})
        response: HttpResponse = super().form_valid(form)
        return response

    def _save(self, form: PeopleForm) -> None:
        roles = {str(role.pk): role for role in form.fields["role"].queryset}
        for membership in form.memberships:
            choice = form.cleaned_data.get(f"member-{membership.pk}") or str(membership.role_id)
            if choice != str(membership.role_id):
                role = None if choice == PeopleForm.REMOVE else roles[choice]
                SetMembership(self.object, self.request.user, member=membership.user, role=role).execute()
        if form.cleaned_data.get("email"):
            member = self._somebody_new(form)
            SetMembership(self.object, self.request.user, member=member, role=form.cleaned_data["role"]).execute()

    def _somebody_new(self, form: PeopleForm) -> Any:
        # by the whole address only: a list to choose from would name the people of other stores
        users = list(get_user_model().objects.filter(email__iexact=form.cleaned_data["email"], is_active=True)[:2])
        if len(users) != 1:
            raise ValidationError(_("There is no account with this e-mail address, or more than one."))
        if any(membership.user_id == users[0].pk for membership in form.memberships):
            raise ValidationError(_("This person works here already. Change the role in the list."))
        return users[0]
