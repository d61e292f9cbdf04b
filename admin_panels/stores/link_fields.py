"""The part of a store's form about short links and what texts are given credit for."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.http.request import validate_host
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from wagtail.admin.forms import WagtailAdminModelForm
from wagtail.models import Site

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.links import domains
from smsflow_plugin.messaging.addresses import bare, host_of, is_host_name, is_or_under
from smsflow_plugin.messaging.lint_words import SHORTENERS
from smsflow_plugin.models import Store

LINK_FIELDS = ("shorten_links", "link_domain", "link_hosts", "link_utm", "link_days")
CREDIT_FIELDS = ("attribution_days", "attribution_delivered_hours")
_MIDDLEWARE = "smsflow_plugin.links.domains.LinkDomainMiddleware"
#: More sites than a shop has.
MAX_HOSTS = 50


class HostsField(forms.CharField):
    """Host names, one on each line; a list of them in Python."""

    widget = forms.Textarea(attrs={"rows": 3})

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def clean(self, value: Any) -> list[str]:
        lines = str(super().clean(value) or "").replace(",", "\n").split("\n")
        hosts = list(dict.fromkeys(line.strip().lower() for line in lines if line.strip()))
        for host in hosts:
            check_host(host)
        if len(hosts) > MAX_HOSTS:
            raise ValidationError(_("Name at most %(count)d hosts.") % {"count": MAX_HOSTS})
        return hosts

    def has_changed(self, initial: Any, data: Any) -> bool:
        lines = (line.strip().lower() for line in str(data or "").splitlines())
        return [line for line in lines if line] != list(initial or [])


def check_host(host: str) -> None:
    """Refuse what is no host name, and the hosts of public shorteners.

    :raises ValidationError: with what to write instead.
    """
    if not is_host_name(host):
        raise ValidationError(
            _("“%(host)s” is no host name. Write it without https:// and without a path, for example %(example)s.")
            % {"host": host, "example": "go.sierra-gear.example"}
        )
    if is_or_under(host, SHORTENERS):
        raise ValidationError(
            _("Phone networks often block links of public shorteners such as %(host)s. Use the store's own.")
            % {"host": host}
        )


class LinkFields(WagtailAdminModelForm):  # type: ignore[misc]
    """The part of a store's form that asks where links may lead and what earns credit."""

    link_hosts = HostsField(
        label=gettext_lazy("Other sites that links may lead to"),
        required=False,
        help_text=gettext_lazy(
            "Host names, one on each line. Links to the shop's own website and to Shopify's are always shortened; "
            "links to any other site stay as they are written, and their clicks are not counted."
        ),
    )
    link_days = forms.IntegerField(
        label=gettext_lazy("Days that links last"),
        required=False,
        min_value=1,
        max_value=730,
        help_text=gettext_lazy("Then they lead to the store's home."),
    )
    attribution_days = forms.IntegerField(
        label=gettext_lazy("Days after a click"),
        required=False,
        min_value=1,
        max_value=90,
        help_text=gettext_lazy("An order is credited to the text that was clicked last within these days before it."),
    )
    attribution_delivered_hours = forms.IntegerField(
        label=gettext_lazy("Hours after mere delivery"),
        required=False,
        min_value=0,
        max_value=168,
        help_text=gettext_lazy(
            "0: a text that nobody clicked is given no credit. Otherwise it is, for orders within these hours."
        ),
    )

    def clean_link_domain(self) -> str:
        domain = str(self.cleaned_data["link_domain"]).strip().lower()
        if not domain:
            return ""
        check_host(domain)
        if domain == (urlsplit(smsflow_settings.PUBLIC_URL).hostname or ""):
            raise ValidationError(_("This is this site's own domain. Leave the field empty to use it."))
        own = host_of(str(self.data.get("website") or ""))
        if own is not None and bare(own[0]) == bare(domain):
            raise ValidationError(
                _("The shop itself is there. Use another domain, such as go.%(host)s.") % {"host": bare(domain)}
            )
        if Site.objects.filter(hostname__iexact=domain).exists():
            raise ValidationError(_("A site of its own is there. Use a domain that only short links stand on."))
        # across all stores, on purpose: texts of one store must not look like another's
        others = Store.objects.filter(link_domain__iexact=domain).exclude(pk=self.instance.pk)
        if others.exists():
            raise ValidationError(_("Another store uses this domain."))
        if _MIDDLEWARE not in settings.MIDDLEWARE:
            raise ValidationError(_("This site serves no domains of brands: LinkDomainMiddleware is not installed."))
        if not _answers_to(domain):
            raise ValidationError(
                _("This site does not answer to that domain yet. Whoever runs it adds it to ALLOWED_HOSTS.")
            )
        return domain

    def clean_link_days(self) -> int:
        return self._or_default("link_days")

    def clean_attribution_days(self) -> int:
        return self._or_default("attribution_days")

    def clean_attribution_delivered_hours(self) -> int:
        return self._or_default("attribution_delivered_hours")

    def _or_default(self, name: str) -> int:
        value = self.cleaned_data[name]
        return int(Store._meta.get_field(name).get_default() if value is None else value)  # type: ignore[union-attr]

    def forget_domains(self) -> None:
        """Let this process know of a new domain at once."""
        if "link_domain" in self.changed_data:
            domains.forget()


def _answers_to(domain: str) -> bool:
    return validate_host(domain, settings.ALLOWED_HOSTS)
