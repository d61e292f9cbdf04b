"""The forms with which somebody makes a landing page, and the folder for those of a store."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _
from wagtail.admin.forms import WagtailAdminPageForm
from wagtail.permissions import policy_registry

from smsflow_plugin.admin_panels.scoping import number
from smsflow_plugin.admin_panels.signup import chooser_viewset
from smsflow_plugin.landing import page_links
from smsflow_plugin.landing.permissions import may_edit_in
from smsflow_plugin.messaging.short_links import may_lead_to
from smsflow_plugin.models import OptInForm, Store


class LandingFolderForm(WagtailAdminPageForm):  # type: ignore[misc]
    """Offers the stores in which the user makes opt-in forms, and never moves a folder to another store."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "store" not in self.fields:
            return
        if self.instance.pk and self.instance.store_id:
            del self.fields["store"]
            return
        stores = Store.objects.visible_to(_of(self))
        allowed = [store.pk for store in stores if may_edit_in(_of(self), store.pk)]
        field = self.fields["store"]
        field.queryset = stores.filter(pk__in=allowed)
        field.required = True
        field.empty_label = None if len(allowed) == 1 else field.empty_label


class LandingPageForm(WagtailAdminPageForm):  # type: ignore[misc]
    """Takes forms and images that the user may see only, and addresses to which the store's links may lead."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not self.instance.pk and self.parent_page is not None:
            self.instance.store = self.parent_page.specific.store
        user = _of(self)
        if "form" in self.fields:
            visible = OptInForm.objects.visible_to(user)
            # what somebody else has chosen stays when the rest is edited
            allowed = OptInForm.objects.filter(Q(pk__in=visible.values("pk")) | Q(pk=self.instance.form_id))
            self.fields["form"].queryset = self.fields["form"].widget.shown = allowed
        if "image" in self.fields:
            images = self.fields["image"].queryset
            policy = policy_registry.get_by_type(images.model)
            choosable = policy.instances_user_has_any_permission_for(user, ["choose", "change"])
            self.fields["image"].queryset = images.filter(
                Q(pk__in=choosable.values("pk")) | Q(pk=self.instance.image_id)
            )

        if self.instance.store and self.initial.get("body"):
            # the editor names the address of each page to which a link leads
            self.initial["body"] = page_links.without_strange(self.initial["body"], self.instance.store)

    def clean_body(self) -> str:
        body = str(self.cleaned_data["body"])
        store = self.instance.store
        if store and page_links.has_strange(body, store):
            self.data = self.data.copy()
            shown = self.fields["body"].widget.format_value(page_links.without_strange(body, store))
            self.data[self.add_prefix("body")] = shown
            raise ValidationError(page_links.refusal(store))
        return body

    def clean_discount_code(self) -> str:
        return str(self.cleaned_data["discount_code"]).strip()

    def clean_shop_link(self) -> str:
        link = str(self.cleaned_data["shop_link"])
        store = self.instance.store
        if link and store and not may_lead_to(store, link):
            raise ValidationError(
                _(
                    "Links of %(store)s may lead to its website, its myshopify.com domain, Shopify's checkout, and the "
                    "other sites that stand in the store's form."
                )
                % {"store": store}
            )
        return link


class OwnFormChooser(chooser_viewset.widget_class):  # type: ignore[misc, name-defined]
    """Chooses an opt-in form. Of a number that somebody has typed in, it names no form of another store."""

    #: Which forms may be named; set by the page's form.
    shown: QuerySet[OptInForm] | None = None

    def get_instance(self, value: Any) -> OptInForm | None:
        if value is None or isinstance(value, OptInForm):
            return value
        known = number(str(value))
        return self.shown.filter(pk=known).first() if self.shown is not None and known else None


def _of(form: WagtailAdminPageForm) -> Any:
    if form.for_user is None:
        raise ImproperlyConfigured("A form of a landing page needs to know for whom it is (for_user).")
    return form.for_user
