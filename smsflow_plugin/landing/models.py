"""Landing pages: pages of Wagtail to which texts lead, with an offer, a way to the shop, and a form to sign up.

A folder says of which store the pages in it are; nothing else does, so that a page can never be of two.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from django.utils.crypto import get_random_string
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.fields import RichTextField
from wagtail.images import get_image_model_string
from wagtail.models import Page

from smsflow_plugin import clock
from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.landing import answers, offers, page_links
from smsflow_plugin.landing.permissions import StorePageTester
from smsflow_plugin.links import targets
from smsflow_plugin.messaging.short_links import landing_base, may_lead_to, shop_home
from smsflow_plugin.signup.models import OptInForm
from smsflow_plugin.signup.page_words import base, words
from smsflow_plugin.signup.showing import embedded
from smsflow_plugin.stores.models import Store

TOKEN_LENGTH = 8
BODY_FEATURES = ["h2", "h3", "bold", "italic", "ol", "ul", "link", "hr"]


def new_page_token() -> str:
    return get_random_string(TOKEN_LENGTH)


class LandingFolder(Page):  # type: ignore[misc]
    """Holds the landing pages of one store. It has no page of its own; give people their page permissions here."""

    # a store may be deleted; its pages are shown to nobody then
    store = models.ForeignKey(
        Store, null=True, on_delete=models.SET_NULL, related_name="+", verbose_name=gettext_lazy("store")
    )

    subpage_types = ["smsflow.LandingPage"]
    preview_modes: list[Any] = []
    private_page_options: list[str] = []
    page_description = gettext_lazy("Holds the landing pages of one store.")

    class Meta:
        verbose_name = gettext_lazy("folder of landing pages")
        verbose_name_plural = gettext_lazy("folders of landing pages")

    def permissions_for_user(self, user: Any) -> StorePageTester:
        return StorePageTester(user, self)

    def get_url_parts(self, request: HttpRequest | None = None) -> None:
        return None

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        raise Http404

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[Any]:
        return []


class LandingPage(Page):  # type: ignore[misc]
    """One page with an offer. Its title is the headline.

    Its address never changes, wherever it is moved and whatever it is called: it stands in texts that are out.
    """

    token = models.CharField(max_length=16, unique=True, default=new_page_token, editable=False)
    introduction = models.CharField(gettext_lazy("introduction"), max_length=300, blank=True)
    image = models.ForeignKey(
        get_image_model_string(),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=gettext_lazy("image"),
        help_text=gettext_lazy("Its description is read to people who do not see it; none is read if it has none."),
    )
    body = RichTextField(gettext_lazy("text"), blank=True, features=BODY_FEATURES)
    offer = models.CharField(
        gettext_lazy("offer"),
        max_length=160,
        blank=True,
        help_text=gettext_lazy("For example “20 % off until Sunday”."),
    )
    discount_code = models.CharField(
        gettext_lazy("discount code"),
        max_length=60,
        blank=True,
        help_text=gettext_lazy(
            "A code of your shop, the same for everybody who knows the page. It is shown, and the button redeems it."
        ),
    )
    shop_link = models.URLField(
        gettext_lazy("the button leads to"),
        max_length=500,
        blank=True,
        help_text=gettext_lazy("A page of the shop, a cart or a checkout. Empty: the front page of the shop."),
    )
    button = models.CharField(
        gettext_lazy("words of the button"), max_length=40, blank=True, help_text=gettext_lazy("Empty: “To the shop”.")
    )
    form = models.ForeignKey(
        OptInForm,
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        verbose_name=gettext_lazy("opt-in form"),
        help_text=gettext_lazy("A form of the same store, with which people sign up for texts."),
    )

    parent_page_types = ["smsflow.LandingFolder"]
    subpage_types: list[str] = []
    template = "smsflow/landing/page.html"
    private_page_options: list[str] = []
    exclude_fields_in_copy = ["token"]
    page_description = gettext_lazy("Where texts lead: an offer, a way to the shop, a form to sign up.")

    class Meta:
        verbose_name = gettext_lazy("landing page")
        verbose_name_plural = gettext_lazy("landing pages")

    def permissions_for_user(self, user: Any) -> StorePageTester:
        return StorePageTester(user, self)

    @cached_property
    def store(self) -> Store | None:
        """The store of the folder that the page is in; None if it is in none yet, or the store is gone."""
        if not self.path:
            return None
        folder = LandingFolder.objects.select_related("store").filter(path=self.path[: -self.steplen]).first()
        return folder.store if folder else None

    @property
    def address(self) -> str:
        """What stands in texts."""
        return f"{landing_base(self.store.pk)}{self.token}/" if self.store else ""

    def is_open(self, now: datetime) -> bool:
        """Return whether visitors may see it: Wagtail takes a page that has expired back only some time later."""
        return self.live and not (self.expire_at and self.expire_at <= now)

    def clean(self) -> None:
        super().clean()
        errors = {}
        if self.form and self.store and self.form.store_id != self.store.pk:
            errors["form"] = _(
                "This form is not of the store %(store)s, to which the page belongs. Choose one of its own forms."
            ) % {"store": self.store}
        if self.discount_code and not offers.is_code(self.discount_code):
            errors["discount_code"] = _('A code has no blanks and none of the signs / ? # % & < > " \\.')
        if errors:
            raise ValidationError(errors)

    def save(self, *args: Any, **kwargs: Any) -> Any:
        # Wagtail's aliases take everything along, also what is left out of copies
        if self._state.adding and LandingPage.objects.filter(token=self.token).exists():
            self.token = new_page_token()
        return super().save(*args, **kwargs)

    def with_content_json(self, content: Any) -> LandingPage:
        # copies take the revisions of what they are copies of along; the address stays the page's own
        page: LandingPage = super().with_content_json(content)
        page.token = self.token
        return page

    def get_url_parts(self, request: HttpRequest | None = None) -> tuple[int, str, str] | None:
        """Let "View live" and previews lead to the address that stands in texts, wherever the page is in the tree."""
        sites = self._get_site_root_paths(request)
        if not sites or not self.address:
            return None
        root = smsflow_settings.PUBLIC_URL
        return sites[0].site_id, root, self.address.removeprefix(root)

    def get_sitemap_urls(self, request: HttpRequest | None = None) -> list[Any]:
        # offers are for those who got a text
        return []

    def get_context(self, request: HttpRequest, *args: Any, **kwargs: Any) -> dict[str, Any]:
        context: dict[str, Any] = super().get_context(request, *args, **kwargs)
        store = self.store
        if store is None:
            raise Http404
        language = base(store.language)
        said = words(language)
        return {
            **context,
            "store": store,
            "language": language,
            "words": said,
            "heading": self.title,
            # the form refuses such links; what is stored already must stay publishable, so it is left out here
            "body": page_links.without_strange(self.body, store),
            "button": self.button or said["to_the_shop"],
            "shop": self._shop_address(store, request),
            "sign_up": self._sign_up(store, language),
        }

    def _shop_address(self, store: Store, request: HttpRequest) -> str:
        # the store's list of sites may have changed since the page was published
        link = self.shop_link if self.shop_link and may_lead_to(store, self.shop_link) else ""
        address = offers.shop_address(shop_home(store), link, self.discount_code, website=store.website)
        if address and store.link_utm and targets.is_shops_own(address, store.website):
            return targets.tagged(address, offers.handed_on(request.GET.dict()))
        return address

    def _sign_up(self, store: Store, language: str) -> dict[str, Any] | None:
        form = self.form
        if form is None or not form.active or form.store_id != store.pk or store.status != Store.Status.ACTIVE:
            return None
        return embedded(form, language, self.address)

    def make_preview_request(self, original_request: HttpRequest | None = None, *args: Any, **kwargs: Any) -> Any:
        # whoever moderates may see drafts without any permission for the page: no further than the store wall
        if original_request is not None and self.permissions_for_user(original_request.user).outside:
            raise PermissionDenied
        return super().make_preview_request(original_request, *args, **kwargs)

    def serve(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # asked here, not at the lasting address only: a site with wagtail.urls serves the page at its place in the tree
        store = self.store
        if store is None or store.status == Store.Status.UNINSTALLED:
            return answers.unknown(request)
        if not self.is_open(clock.now()):
            return answers.lead_home(request, store)
        response: HttpResponse = super().serve(request, *args, **kwargs)
        # the slip of the form is each visitor's own
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
        # nothing is told to other sites. Not "no-referrer": then our own form would not be told where it was sent
        response["Referrer-Policy"] = "same-origin"
        response["Content-Security-Policy"] = "base-uri 'none'; object-src 'none'; frame-ancestors 'self'"
        return response


def pages_of(store: Store) -> list[LandingPage]:
    """Return the live landing pages of a store, by title."""
    found: list[LandingPage] = []
    for folder in LandingFolder.objects.filter(store=store):
        found += LandingPage.objects.live().child_of(folder)
    fill_stores(found)
    return sorted(found, key=lambda page: (page.title.casefold(), page.pk))


def fill_stores(pages: Iterable[LandingPage]) -> None:
    """Let ``pages`` know their stores by one query, however many they are."""
    pages = list(pages)
    above = {page: page.path[: -page.steplen] for page in pages}
    folders = LandingFolder.objects.select_related("store").filter(path__in=set(above.values()))
    stores = {folder.path: folder.store for folder in folders}
    for page, path in above.items():
        page.store = stores.get(path)
