"""What we write comes back as a webhook, late, twice and out of order, and nothing follows from it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.events.models import Event
from smsflow_plugin.integrations.shopify.admin import client, transport
from smsflow_plugin.integrations.shopify.writes.wishes import Wishes, with_wishes
from smsflow_plugin.models import Connection, ConsentRecord, Contact, Store
from tests.conftest import NOON, TestClock
from tests.factories import make_store
from tests.shopify_writes.conftest import FakeShop, deliver, let_in, make_customer, say, work


def told(contact: Contact) -> tuple[Any, ...]:
    """Everything about consent and tags that flows and people see."""
    contact = Contact.objects.get(pk=contact.pk)
    return (
        contact.marketing_consent, contact.service_consent, contact.consent_changed_at, contact.ledger_head,
        sorted(contact.tags), ConsentRecord.objects.filter(contact=contact).count(),
        sorted(Event.objects.filter(contact=contact).values_list("kind", "key")),
    )  # fmt: skip


@pytest.mark.django_db
@pytest.mark.parametrize("action", ["granted", "revoked"])
def test_an_echo_is_no_line_no_event_and_changes_nothing(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock, action: str
) -> None:
    ada = make_customer(shop, store)
    say(ada, action)
    work()
    before = told(ada)
    still.move(seconds=4)
    deliver(store, *shop.echoes, *shop.echoes)
    assert shop.echoes
    assert told(ada) == before
    asked = len(shop.asked)
    work()
    assert len(shop.asked) == asked


@pytest.mark.django_db
def test_what_somebody_else_says_in_the_shop_counts(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    ada = make_customer(shop, store)
    say(ada, "granted")
    work()
    still.move(minutes=5)
    shop.customers["77"].state, shop.customers["77"].at = "UNSUBSCRIBED", still().isoformat()
    shop.echo("77")
    deliver(store, *shop.echoes)
    ada.refresh_from_db()
    assert ada.marketing_consent == "revoked"
    assert Event.objects.filter(contact=ada, kind="opted_out").count() == 1


@pytest.mark.django_db
def test_a_no_in_the_shop_that_crosses_our_yes_is_put_right(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock
) -> None:
    """They unsubscribe between our look and our write: their webhook comes after it, and says what is newer."""
    ada = make_customer(shop, store)
    say(ada, "granted", effective_at=NOON - timedelta(hours=1))
    original = shop.do_SmsConsentUpdate
    crossing: list[Any] = []

    def with_a_no_before(input: dict[str, Any]) -> dict[str, Any]:
        shop.do_SmsConsentUpdate = original  # type: ignore[method-assign]
        customer = shop.customers["77"]
        customer.state, customer.at = "UNSUBSCRIBED", NOON.isoformat()
        shop.echo("77")
        crossing.append(shop.echoes.pop())
        return original(input)

    shop.do_SmsConsentUpdate = with_a_no_before  # type: ignore[method-assign]
    work()
    assert shop.customers["77"].state == "SUBSCRIBED"
    still.move(seconds=3)
    deliver(store, *shop.echoes, *crossing)
    work()
    assert Contact.objects.get(pk=ada.pk).marketing_consent == "revoked"
    assert shop.customers["77"].state == "UNSUBSCRIBED"


@pytest.mark.django_db
def test_the_echo_of_a_tag_starts_nothing_even_after_it_was_taken_away(
    connection: Connection, shop: FakeShop, store: Store, still: TestClock, django_capture_on_commit_callbacks: Any
) -> None:
    from smsflow_plugin.audience.outward import TagChange
    from smsflow_plugin.integrations.shopify.writes import noting

    connection.settings = with_wishes({}, Wishes(tags=True))
    connection.save(update_fields=["settings"])
    ada = make_customer(shop, store)
    for tags in (["VIP"], []):
        Contact.objects.filter(pk=ada.pk).update(tags=tags)
        noting.tags([TagChange(store.pk, ada.pk, "VIP")], still())
        work()
        still.move(minutes=1)
    assert shop.customers["77"].tags == []
    added, removed = shop.echoes
    before = told(ada)
    with django_capture_on_commit_callbacks(execute=True):
        deliver(store, removed)
    with django_capture_on_commit_callbacks(execute=True):
        deliver(store, added)
    assert told(ada) == before
    # the second time it was somebody in the shop
    with django_capture_on_commit_callbacks(execute=True):
        deliver(store, added)
    ada.refresh_from_db()
    assert ada.tags == ["VIP"]
    assert Event.objects.filter(contact=ada, kind="tag_added").count() == 1


class AnyOrder(TestCase):
    """STOP and START, writes and echoes in any order: what was said here holds, in both places."""

    def setUp(self) -> None:
        self.patch = pytest.MonkeyPatch()

    def tearDown(self) -> None:
        self.patch.undo()
        smsflow_settings.reload()

    @hypothesis_settings(max_examples=25)
    @given(st.data())
    def test_nothing_older_ever_undoes_what_is_newer(self, data: st.DataObject) -> None:
        still, shop = TestClock(NOON), FakeShop()
        self.patch.setitem(smsflow_settings._cache, "CLOCK", still)
        self.patch.setattr(transport, "post", shop.post)
        self.patch.setattr(client, "_buckets", {})
        store = make_store()
        let_in(store)
        ada = make_customer(shop, store)
        said = 0
        for _step in range(data.draw(st.integers(3, 14))):
            still.move(seconds=data.draw(st.sampled_from([1, 7, 90])))
            doing = data.draw(st.sampled_from(["yes", "no", "write", "echo"]))
            if doing in ("yes", "no"):
                said += 1
                say(ada, "granted" if doing == "yes" else "revoked", scope="marketing" if doing == "yes" else "all")
            elif doing == "write":
                work()
            elif shop.echoes:
                before = told(ada)
                deliver(store, data.draw(st.sampled_from(shop.echoes)))
                assert told(ada) == before
        work()
        before = told(ada)
        deliver(store, *data.draw(st.permutations(shop.echoes)))
        assert told(ada) == before
        assert ConsentRecord.objects.filter(contact=ada).count() == said
        consent = Contact.objects.get(pk=ada.pk).marketing_consent
        wanted = {"granted": "SUBSCRIBED", "revoked": "UNSUBSCRIBED", "unknown": "NOT_SUBSCRIBED"}[consent]
        assert shop.customers["77"].state == wanted
