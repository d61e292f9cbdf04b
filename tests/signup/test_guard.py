"""Forms are kept from being pumped: limits, traps, origins, and numbers that nobody sits behind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from smsflow_plugin.audience.opt_in_rules import needs_confirmation
from smsflow_plugin.callers import client_ip, connection_of, origin_of
from smsflow_plugin.engine.purging import periods, purge
from smsflow_plugin.measurement.purging import KINDS
from smsflow_plugin.models import Delivery, OptInAttempt, OptInForm, OptInPause, Store
from smsflow_plugin.signup import storage
from smsflow_plugin.signup.guard import UNANSWERED, WINDOWS, Attempt, Breaker, Outcome, counts, judge
from smsflow_plugin.signup.watching import trip
from tests.conftest import NOON, TestClock
from tests.factories import make_store
from tests.signup.conftest import ADA, Visitor, make_form, slip_in

START = datetime(2026, 3, 1, tzinfo=UTC)
NEUTRAL = "One more step: look at your phone"


def attempts() -> st.SearchStrategy[Attempt]:
    """Few phones, prefixes and addresses over two days and a half, at minutes where windows begin and end."""
    minutes = st.one_of(st.integers(0, 70), st.integers(0, 3600), st.sampled_from([600, 1440, 2880]))
    return st.builds(
        lambda minute, phone, ip, outcome, confirmed: Attempt(
            START + timedelta(minutes=minute),
            phone,
            f"+1202555{phone}",
            "US",
            1,
            ip,
            outcome,
            confirmed,
        ),
        minutes,
        st.sampled_from("ab"),
        st.sampled_from("xy"),
        st.sampled_from(list(Outcome)),
        st.booleans(),
    )


@given(st.lists(attempts(), max_size=60))
def test_no_window_ever_lets_in_more_than_its_limit(wanted: list[Attempt]) -> None:
    history: list[Attempt] = []
    for attempt in sorted(wanted, key=lambda one: one.at):
        outcome = judge(counts(attempt, history), paused=False, must_confirm=True)
        history.append(
            Attempt(
                attempt.at, attempt.phone_hash, attempt.prefix, attempt.country, attempt.dial_code, attempt.ip_hash,
                outcome, attempt.confirmed and outcome is Outcome.ASKED,
            )
        )  # fmt: skip
    asked = [one for one in history if one.outcome is Outcome.ASKED]
    for one in asked:
        for window in (*WINDOWS, UNANSWERED):
            within = [
                past
                for past in asked
                if one.at - window.span < past.at <= one.at
                and getattr(past, window.column) == getattr(one, window.column)
                and not (window is UNANSWERED and past.confirmed)
            ]
            assert len(within) <= max(window.limit, 1)


@pytest.mark.django_db
def test_the_database_counts_as_the_rule_does(form: OptInForm) -> None:
    import random

    chance = random.Random(7)
    past = []
    for _n in range(300):
        phone, ip = chance.choice("abc"), chance.choice("xyz")
        at = NOON - timedelta(minutes=chance.choice([0, 1, 9, 10, 11, 59, 60, 61, 1439, 1440, 1441, 2879, 2880, 2881]))
        outcome, confirmed = chance.choice(list(Outcome)), chance.random() < 0.3
        past.append(Attempt(at, phone, f"+1202555{phone}", "US", chance.choice([1, 45]), ip, outcome, confirmed))
    OptInAttempt.objects.bulk_create(
        OptInAttempt(
            store=form.store, form=form, at=one.at, phone_hash=one.phone_hash, prefix=one.prefix, country=one.country,
            dial_code=one.dial_code, ip_hash=one.ip_hash, outcome=one.outcome.value if one.outcome else "",
            confirmed_at=one.at if one.confirmed else None,
        )
        for one in past
    )  # fmt: skip
    for phone in "abc":
        for ip in "xyz":
            now = Attempt(NOON, phone, f"+1202555{phone}", "US", 1, ip)
            assert storage.held(form.store_id, now) == counts(now, past)


def test_a_breaker_needs_enough_to_go_by() -> None:
    breaker = Breaker(enough=10)
    assert not breaker.trips(9, 0)
    assert breaker.trips(10, 1)
    assert not breaker.trips(10, 2)


@pytest.mark.parametrize(
    ("level", "number", "shop", "confirm"),
    [
        ("", "DE", "DK", True),
        ("single", "DE", "DK", True),
        ("single", "DK", "DE", True),
        ("", "US", "US", True),
        ("single", "US", "US", False),
        ("", "CA", "CA", True),
        ("", "DK", "DK", False),
        ("double", "DK", "DK", True),
    ],
)
def test_who_must_confirm(level: str, number: str, shop: str, confirm: bool) -> None:
    assert needs_confirmation(level, number_country=number, store_country=shop) is confirm


@pytest.mark.django_db
class TestAtTheForm:
    def test_a_connection_may_sign_up_five_people_an_hour_and_is_told(self, visitor: Visitor, still: TestClock) -> None:
        for n in range(5):
            assert visitor.sends(f"+1202555{1000 * n + 100:04d}").status_code == 200
        answer = visitor.sends("+12125550100")
        assert answer.status_code == 429
        assert "Try again in an hour." in answer.content.decode() and 'value="+12125550100"' in answer.content.decode()
        assert Delivery.objects.count() == 5
        still.move(minutes=59)
        assert visitor.sends("+12125550100").status_code == 200

    def test_a_number_is_asked_once_however_often_it_is_left(self, form: OptInForm, still: TestClock) -> None:
        for n in range(6):
            answer = Visitor(form, still, ip=f"203.0.113.{n}").sends(ADA)
            assert answer.status_code == 200 and NEUTRAL in answer.content.decode()
        assert Delivery.objects.count() == 1
        outcomes = list(OptInAttempt.objects.order_by("pk").values_list("outcome", flat=True))
        assert outcomes == ["asked", "pending", "pending", "phone", "phone", "phone"]

    def test_a_block_of_numbers_gets_ten_texts_an_hour(self, form: OptInForm, still: TestClock) -> None:
        for n in range(12):
            answer = Visitor(form, still, ip=f"198.51.100.{n}", patience=3).sends(f"+120255501{n:02d}")
            assert NEUTRAL in answer.content.decode()
        assert Delivery.objects.count() == 10

    def test_numbers_and_addresses_are_kept_as_keyed_hashes(self, visitor: Visitor) -> None:
        visitor.sends()
        attempt = OptInAttempt.objects.get()
        assert len(attempt.phone_hash) == len(attempt.ip_hash) == 64
        assert attempt.prefix == "+1202555"
        assert "203.0.113.7" not in str(vars(attempt))

    def test_a_bot_that_fills_in_everything_is_thanked_and_forgotten(self, visitor: Visitor) -> None:
        answer = visitor.sends(website="http://spam.example")
        assert NEUTRAL in answer.content.decode()
        assert not Delivery.objects.exists()
        assert OptInAttempt.objects.get().outcome == "bot"

    def test_nobody_fills_in_a_form_in_a_second(self, form: OptInForm, still: TestClock) -> None:
        answer = Visitor(form, still, patience=1).sends()
        assert answer.status_code == 422 and "press the button once more" in answer.content.decode()
        assert not Delivery.objects.exists()

    def test_a_page_that_was_open_for_days_is_sent_again_with_one_press(
        self, visitor: Visitor, still: TestClock
    ) -> None:
        slip = visitor.slip()
        still.move(hours=5)
        answer = visitor.sends(slip=slip)
        assert answer.status_code == 422 and f'value="{ADA}"' in answer.content.decode()
        still.move(seconds=5)
        assert visitor.sends(slip=slip_in(answer)).status_code == 200
        assert Delivery.objects.count() == 1

    @pytest.mark.parametrize("slip", ["", "nonsense", "a:b:c", "\u0000"])
    def test_a_slip_that_is_not_ours_counts_for_nothing(self, visitor: Visitor, slip: str) -> None:
        assert visitor.sends(slip=slip).status_code == 422
        assert not Delivery.objects.exists()

    def test_a_slip_is_good_for_its_own_form_only(self, visitor: Visitor, store: Store, still: TestClock) -> None:
        other = Visitor(make_form(store, name="Other"), still)
        slip = visitor.slip()
        still.move(seconds=30)
        assert other.sends(slip=slip).status_code == 422

    @pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "http://testserver.evil.example"])
    def test_other_websites_cannot_send_it(self, visitor: Visitor, origin: str) -> None:
        answer = visitor.sends(origin=origin)
        assert answer.status_code == 403
        assert "Open it on its own page" in answer.content.decode()
        assert not OptInAttempt.objects.exists()

    def test_the_stores_own_websites_can(self, store: Store, still: TestClock) -> None:
        Store.objects.filter(pk=store.pk).update(website="https://sierra-gear.example/shop")
        form = make_form(store, origins=["https://blog.sierra-gear.example"])
        for n, origin in enumerate(("https://sierra-gear.example", "https://blog.sierra-gear.example")):
            assert Visitor(form, still).sends(f"+1202555010{n}", origin=origin).status_code == 200

    def test_only_the_stores_websites_may_frame_it(self, store: Store, still: TestClock) -> None:
        Store.objects.filter(pk=store.pk).update(website="https://sierra-gear.example/shop")
        visitor = Visitor(make_form(store), still)
        page, frame = visitor.opens(), visitor.client.get(f"{visitor.url}frame/")
        assert "frame-ancestors 'none'" in page["Content-Security-Policy"] and page["X-Frame-Options"] == "DENY"
        assert "frame-ancestors 'self' https://sierra-gear.example" in frame["Content-Security-Policy"]
        assert "X-Frame-Options" not in frame
        script = visitor.client.get(f"{visitor.url}embed.js")
        assert script["Content-Type"].startswith("text/javascript")
        assert f"{visitor.url}frame/" in script.content.decode()

    def test_words_of_the_store_cannot_break_out_of_the_script(self, store: Store, still: TestClock) -> None:
        visitor = Visitor(make_form(store, heading='</script><script>alert("1")</script>'), still)
        script = visitor.client.get(f"{visitor.url}embed.js").content.decode()
        assert "</script>" not in script and "\\u003c/script>" in script

    def test_a_token_that_nobody_has_is_a_404(self, visitor: Visitor) -> None:
        for path in ("/smsflow/join/nonsense/", "/smsflow/join/nonsense/frame/", "/smsflow/join/nonsense/embed.js"):
            assert visitor.client.get(path).status_code == 404

    def test_attempts_of_another_store_do_not_count(self, visitor: Visitor, still: TestClock) -> None:
        other = make_form(make_store(name="Bolton", domain="bolton.myshopify.com", sender="+12025550177"))
        for _n in range(5):
            Visitor(other, still).sends(ADA)
        assert visitor.sends().status_code == 200
        assert Delivery.objects.filter(store=visitor.form.store).count() == 1


@pytest.mark.django_db
class TestTheBreaker:
    def asked(self, form: OptInForm, count: int, *, confirmed: int = 0, prefix: str = "+1202555") -> None:
        at = NOON - timedelta(hours=3)
        OptInAttempt.objects.bulk_create(
            OptInAttempt(
                store=form.store, form=form, at=at, phone_hash=f"{prefix}{n}", prefix=prefix, country="US", dial_code=1,
                ip_hash="x", outcome="asked", confirmed_at=at if n < confirmed else None,
            )
            for n in range(count)
        )  # fmt: skip

    def test_a_prefix_that_nobody_confirms_is_stopped_and_staff_may_resume_it(
        self, form: OptInForm, visitor: Visitor, still: TestClock
    ) -> None:
        self.asked(form, 12, confirmed=1)
        assert trip(still.at) == 1
        pause = OptInPause.objects.get()
        assert (pause.kind, pause.value, pause.asked, pause.confirmed) == ("prefix", "+1202555", 12, 1)
        assert NEUTRAL in visitor.sends("+12025550188").content.decode()
        assert not Delivery.objects.exists()
        assert OptInAttempt.objects.latest("pk").outcome == "paused"
        OptInPause.objects.update(resumed_at=still.at)
        assert trip(still.at) == 0
        visitor.sends("+12025550189")
        assert Delivery.objects.count() == 1

    def test_it_trips_again_by_what_came_after(self, form: OptInForm, still: TestClock) -> None:
        self.asked(form, 12)
        trip(still.at)
        OptInPause.objects.update(resumed_at=NOON - timedelta(hours=4))
        assert trip(still.at) == 1
        assert OptInPause.objects.get().resumed_at is None

    def test_a_country_needs_more_than_a_prefix(self, form: OptInForm, still: TestClock) -> None:
        for n in range(5):
            self.asked(form, 9, prefix=f"+120255{n}")
        assert trip(still.at) == 1
        assert OptInPause.objects.get().kind == "country"

    def test_people_who_confirm_are_left_alone(self, form: OptInForm, still: TestClock) -> None:
        self.asked(form, 50, confirmed=10)
        assert trip(still.at) == 0

    def test_who_was_asked_just_now_may_still_answer(self, form: OptInForm, still: TestClock) -> None:
        self.asked(form, 50)
        OptInAttempt.objects.update(at=still.at - timedelta(minutes=30))
        assert trip(still.at) == 0


class TestCallers:
    @pytest.mark.parametrize(
        ("proxies", "forwarded", "ip"),
        [
            (0, "1.1.1.1", "10.0.0.1"),
            (1, "", "10.0.0.1"),
            (1, "6.6.6.6, 1.1.1.1", "1.1.1.1"),
            (2, "6.6.6.6, 1.1.1.1, 10.0.0.9", "1.1.1.1"),
            (3, "1.1.1.1", "1.1.1.1"),
            (1, "[2001:db8::1]:443", "2001:db8::1"),
            (1, "1.1.1.1:1234", "1.1.1.1"),
        ],
    )
    def test_only_what_our_proxies_say_is_believed(self, settings: Any, proxies: int, forwarded: str, ip: str) -> None:
        settings.SMSFLOW = {**settings.SMSFLOW, "TRUSTED_PROXIES": proxies}
        headers = {"HTTP_X_FORWARDED_FOR": forwarded} if forwarded else {}
        assert client_ip(RequestFactory().get("/", REMOTE_ADDR="10.0.0.1", **headers)) == ip

    def test_one_ipv6_network_is_one_connection(self) -> None:
        assert connection_of("2001:db8::1") == connection_of("2001:db8::ffff:2")
        assert connection_of("2001:db8:0:1::1") != connection_of("2001:db8::1")
        assert connection_of("::ffff:1.2.3.4") == connection_of("1.2.3.4")
        assert connection_of("nonsense") == "nonsense"

    @pytest.mark.parametrize(
        ("url", "origin"),
        [
            ("https://Shop.example:443/a?b", "https://shop.example"),
            ("http://localhost:8000/x", "http://localhost:8000"),
            ("javascript:alert(1)", ""),
            ("shop.example", ""),
            ("https://[::1", ""),
            ("null", ""),
        ],
    )
    def test_origins(self, url: str, origin: str) -> None:
        assert origin_of(url) == origin


@pytest.mark.django_db
def test_who_tried_to_sign_up_is_forgotten_after_ninety_days_and_the_count_is_kept(
    visitor: Visitor, still: TestClock
) -> None:
    visitor.sends()
    still.move(days=89)
    assert purge(KINDS)["attempts"] == 0
    still.move(days=2)
    visitor.sends("+12125550100")
    assert purge(KINDS)["attempts"] == 1
    old, new = OptInAttempt.objects.order_by("at")
    assert (old.phone_hash, old.ip_hash, old.prefix, old.key) == ("", "", "", "")
    assert (old.outcome, old.country) == ("asked", "US")
    assert new.phone_hash and new.ip_hash
    assert purge(KINDS)["attempts"] == 0
    assert set(periods()) == set(KINDS), "every kind has a time, and every time a kind"
