"""What the tests ask of a running site, done in a process of the site itself.

Reads ``["function", {"argument": …}]`` line by line, and prints each answer as JSON.
"""

from __future__ import annotations

import json
import sys
import traceback
from datetime import timedelta
from io import StringIO
from typing import Any
from urllib.parse import urlencode

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.db.models import CharField, Value  # noqa: E402
from django.db.models.functions import Cast, Concat  # noqa: E402

from smsflow_plugin import clock  # noqa: E402
from smsflow_plugin.audience.preference_links import preference_token  # noqa: E402
from smsflow_plugin.conf import smsflow_settings  # noqa: E402
from smsflow_plugin.flows.library import TEMPLATES, EnableTemplate  # noqa: E402
from smsflow_plugin.flows.library import words as w  # noqa: E402
from smsflow_plugin.flows.library.definitions import LANGUAGES, Copy, FlowTemplate  # noqa: E402
from smsflow_plugin.flows.publishing import PublishFlowAction  # noqa: E402
from smsflow_plugin.integrations.simulator import fast_forward  # noqa: E402
from smsflow_plugin.models import (  # noqa: E402
    Batch,
    CannedReply,
    ConsentRecord,
    Contact,
    CopySnippet,
    Decision,
    Delivery,
    Enrollment,
    Flow,
    LandingFolder,
    LandingPage,
    Message,
    OptInForm,
    PanicStop,
    Policy,
    Segment,
    Store,
    StoreMembership,
    Thread,
)
from smsflow_plugin.nudge import nudge  # noqa: E402
from smsflow_plugin.stores.roles import ADMIN_ACCESS, ensure_roles  # noqa: E402


def make_store() -> dict[str, Any]:
    """Sierra Gear, connected to the phone network, on a morning in New York."""
    from django.core.management import call_command

    from tests.factories import make_store as make

    store = make()
    connection = store.connections.get(kind="sinch")
    connection.settings = {"base_url": smsflow_settings.SIMULATOR_URL}
    connection.save(update_fields=["settings"])
    call_command("smsflow_network_setup", stdout=StringIO())
    return {"store": store.pk, "now": _next_morning()}


def make_year(contacts: int) -> dict[str, Any]:
    """A store with a made-up year behind it, and one with nothing; return what that year truly came to."""
    from smsflow_plugin.measurement.rollups import rebuild
    from tests.bench.year import make_year as make_up
    from tests.factories import make_store as make

    make(name="Empty", domain="empty.myshopify.com")
    store = make(name="Year", domain="year.myshopify.com")
    year = make_up(store, contacts, seed=7)
    rebuild(store)
    everything = year.all()
    name = next(name for name in year.trials if "@" in name and ":s1" in name)
    arms = [{"name": arm, **counts} for arm, counts in sorted(year.trials[name].arms.items())]
    query = f"first={year.period.first}&last={year.period.last}"
    return {
        **{each: getattr(everything, each) for each in ("sent", "delivered", "clicked", "opted_out")},
        **{each: float(getattr(everything, each)) for each in ("revenue", "cost")},
        "page": f"/admin/smsflow/figures/store/{store.pk}/?{query}",
        "experiment": f"/admin/smsflow/experiments/?{urlencode({'store': store.pk, 'experiment': name})}",
        "arms": arms,
        "flows": {
            flow.name: {each: getattr(year.all(flow_id=flow.pk), each) for each in ("sent", "orders")}
            for flow in year.flows.values()
        },
    }


def start_anew() -> str:
    """Take every flow and rule that other tests have left behind out of the way, and let it be morning."""
    # by another name too: a second flow of a template is called "… 2"
    Flow.objects.update(live=False, template="", name=Concat(Value("Gone "), Cast("pk", CharField())))
    start_rules()
    return _next_morning()


def _next_morning() -> str:
    morning = (clock.now() + timedelta(days=1)).replace(hour=15, minute=0, second=0, microsecond=0)
    fast_forward.forward_to(morning)
    return morning.isoformat()


def without_gap() -> None:
    """Let texts follow each other as fast as a flow wants."""
    from tests.factories import caps

    Policy.objects.update(minimum_gap=0, caps=caps(50, 100))


def shorten_links() -> None:
    """Let the store shorten the addresses in its texts, as new stores do."""
    Store.objects.update(shorten_links=True)


def enable(template: str) -> int:
    """Enable a template of the library and publish it, as the gallery does."""
    return _publish(TEMPLATES[template])


def enable_two_texts() -> int:
    """A flow of two texts with two hours between them."""
    return _publish(
        FlowTemplate(
            key="two-texts",
            id="",
            name="Two texts",
            description="",
            worth="",
            purpose="news",
            icon="mail",
            triggers=(w.on("opted_in"),),
            goal="order_created",
            exits=("opted_out",),
            reentry="never",
            priority_number=10,
            copy={
                name.lower(): Copy(dict.fromkeys(LANGUAGES, name + " for {{ contact.first_name | default: 'you' }}."))
                for name in ("First", "Second")
            },
            steps=(w.say("first"), w.wait(2, "hours"), w.say("second")),
        )
    )


def _publish(template: FlowTemplate) -> int:
    flow = EnableTemplate(Store.objects.get(), template=template).execute(skip_permission_checks=True)
    PublishFlowAction(flow.latest_revision).execute(skip_permission_checks=True)
    return int(flow.pk)


def add_opt_in_form(**values: Any) -> str:
    """Make an opt-in form of the only store, and return its address."""
    form = OptInForm.objects.create(
        store=Store.objects.get(),
        name="Footer",
        terms_url="https://sierra-gear.example/terms",
        privacy_url="https://sierra-gear.example/privacy",
        **{"ask_first_name": True, "disclosures": {"en": "", "da": ""}, **values},
    )
    return f"/smsflow/join/{form.token}/"


def add_landing_page() -> str:
    """Make a landing page with an opt-in form of the only store, and return its address."""
    from wagtail.models import Page

    add_opt_in_form(ask_first_name=False)
    store = Store.objects.get()
    folder = Page.get_first_root_node().add_child(instance=LandingFolder(title="Offers", store=store))
    page = LandingPage(title="Spring offer", offer="20 % off", discount_code="SPRING20", shop_link="")
    page.body, page.form = "<h2>Tents</h2><p>For long days.</p>", OptInForm.objects.latest("pk")
    return str(folder.add_child(instance=page).address)


def show_forms_on(origin: str) -> None:
    OptInForm.objects.update(origins=[origin])


def preference_page(phone: str) -> str:
    """Return the address of somebody's own page."""
    return f"/smsflow/preferences/{preference_token(Contact.objects.get(phone=phone))}/"


def knows(phone: str) -> bool:
    return Contact.objects.filter(phone=phone).exists()


def consent_of(phone: str) -> dict[str, Any]:
    """Return what somebody has agreed to, and what they chose."""
    contact = Contact.objects.get(phone=phone)
    return {
        "marketing": contact.marketing_consent,
        "service": contact.service_consent,
        "level": contact.opt_in_level,
        "preferences": contact.preferences,
    }


def add_user(name: str, role: str, password: str) -> int:
    """Make somebody with one of the roles in the only store, and return their id."""
    roles = ensure_roles()
    user = get_user_model().objects.create_user(name, f"{name}@example.com", password)
    user.groups.add(roles[ADMIN_ACCESS])
    StoreMembership.objects.create(user=user, store=Store.objects.get(), role=roles[role])
    return int(user.pk)


def add_flow(name: str, steps: list[Any], live: bool = False) -> int:
    """Make a flow that starts with an opt-in, as a draft or published, and return its id."""
    trigger = {"type": "event", "value": {"kind": "opted_in", "rules": []}, "id": "trigger"}
    flow = Flow(store=Store.objects.get(), name=name, triggers=[trigger], reentry="always", live=False, steps=steps)
    flow.save()
    flow.save_revision(clean=False)
    if live:
        PublishFlowAction(flow.latest_revision).execute(skip_permission_checks=True)
    return int(flow.pk)


def add_segment_and_snippet() -> None:
    """Make one of each, so that their lists are not empty."""
    store = Store.objects.get()
    Segment.objects.create(store=store, name="Tagged", rules=[{"type": "tag", "value": {"tag": "vip"}, "id": "tag"}])
    CopySnippet.objects.create(store=store, name="hours", text="We are here from 9 to 5.")


def add_shop() -> dict[str, int]:
    """Connect the store through an app, with a right that is missing and a webhook that had to be put right."""
    from smsflow_plugin.integrations.shopify.models import Grant, ShopifyApp, SubscriptionCheck

    store = Store.objects.get()
    secrets = {"secret": "s3cret", "previous_secret": "old"}
    app, _made = ShopifyApp.objects.get_or_create(client_id="app-1", defaults={"name": "Texts", "secrets": secrets})
    connection = store.connections.get(kind="shopify")
    given = {"app": app, "kind": Grant.Kind.STATIC, "secrets": {"access_token": "t"}, "scopes": ["read_orders"]}
    Grant.objects.update_or_create(connection=connection, defaults=given)
    seen = {
        "compared_at": clock.now(),
        "topics": ["orders/create"],
        "repairs": [{"at": clock.now().isoformat(), "topic": "orders/create", "what": "lost"}],
        "problems": [{"topic": "shop/update", "said": "Not approved."}],
    }
    SubscriptionCheck.objects.update_or_create(connection=connection, defaults=seen)
    return {"store": store.pk, "app": app.pk}


def change_flow(pk: int, steps: list[Any]) -> None:
    """Save a draft of a flow with other steps."""
    draft = Flow.objects.get(pk=pk).get_latest_revision_as_object()
    draft.steps = steps
    draft.save_revision(clean=False)


def enter(flow: int, first_name: str, phone: str, tags: list[str], consent: str = Contact.Consent.GRANTED) -> int:
    """Let a new person into a published flow, and return the id of their run; the worker goes on from there."""
    target, now = Flow.objects.get(pk=flow), clock.now()
    contact = Contact.objects.create(
        store=target.store,
        first_name=first_name,
        phone=phone,
        country="US",
        timezone=target.store.timezone,
        tags=tags,
        marketing_consent=consent,
        consent_changed_at=now,
        wake_at=now,
    )
    run = Enrollment.objects.create(
        store=target.store,
        flow=target,
        version=target.current_version,
        contact=contact,
        entry_key=f"{contact.pk}",
        entered_at=now,
        wake_at=now,
    )
    nudge("advance")
    return int(run.pk)


def run(pk: int) -> dict[str, Any]:
    """Where somebody in a flow is."""
    found = Enrollment.objects.select_related("version").get(pk=pk)
    at = found.version.compiled.instructions[found.state["at"]].step if "at" in found.state else ""
    return {"version": found.version.number, "status": found.status, "step": at}


def decided(run: int) -> list[str]:
    """What was said to the texts of a run whose calls have been made."""
    gone = Message.objects.filter(enrollment_id=run, accepted_at__isnull=False).exists()
    return list(Decision.objects.filter(enrollment_id=run).values_list("verdict", flat=True)) if gone else []


def refused(run: int) -> int | None:
    """Return the id of the decision that refused a text of a run, as soon as there is one."""
    return Decision.objects.filter(enrollment_id=run, verdict="skip").values_list("pk", flat=True).first()


def flow(pk: int) -> dict[str, Any]:
    """A flow as the database has it, with the steps of its newest draft and the texts of what runs."""
    found = Flow.objects.select_related("current_version").get(pk=pk)
    return {
        "live": found.live,
        "paused": found.paused_at is not None,
        "version": found.current_version.number if found.current_version else None,
        "by": found.current_version.published_by if found.current_version else "",
        "program": found.current_version.program if found.current_version else None,
        "steps": json.loads(found.revisions.latest("pk").content["steps"]),
        "drafts": found.revisions.count(),
    }


def rules() -> dict[str, Any]:
    """Return the store's rules as they count, the draft beside them, and whether somebody has stopped all texts."""
    from smsflow_plugin.governance.effective import rules_of

    policy = Policy.objects.get(store__name="Sierra Gear")
    held = rules_of([policy.store], keep=False)[policy.store_id]
    draft = policy.get_latest_revision_as_object()
    return {
        "policy": policy.pk,
        "caps": [[cap.limit, cap.window] for cap in held.rules.caps],
        "draft": draft.caps,
        "order": policy.flow_order,
        "panic": held.situation.panic,
    }


def start_rules() -> dict[str, Any]:
    """Give the store rules without anything in them, and no draft; let its texts go."""
    policy = Policy.objects.get(store__name="Sierra Gear")
    policy.revisions.all().delete()
    kept = {"id", "store", "live", "locked", "created_at", "updated_at"}
    settings = {field.name: field.get_default() for field in Policy._meta.concrete_fields if field.name not in kept}
    Policy.objects.filter(pk=policy.pk).update(**settings)
    PanicStop.objects.filter(released_at=None).update(released_at=clock.now())
    return rules()


def person_in_a_cap(first_name: str, phone: str) -> int:
    """Somebody who has just got as many texts as a day allows."""
    from tests.factories import make_contact

    now = clock.now().timestamp()
    store = Store.objects.get(name="Sierra Gear")
    return make_contact(store, first_name=first_name, phone=phone, recent_sends=[now - 7200, now - 7000]).pk


def add_person(first_name: str, last_name: str, phone: str) -> int:
    """Somebody of Sierra Gear who agreed to texts."""
    from tests.factories import make_contact

    store = Store.objects.get(name="Sierra Gear")
    return int(make_contact(store, first_name=first_name, last_name=last_name, phone=phone).pk)


def store_number() -> dict[str, str]:
    """Where people text Sierra Gear, as the phone network wants it."""
    store = Store.objects.get(name="Sierra Gear")
    return {"to": store.sender, "plan": store.connections.get(kind="sinch").account}


def add_canned_reply(name: str, body: str) -> None:
    CannedReply.objects.create(store=Store.objects.get(name="Sierra Gear"), name=name, body=body)


def thread_of(phone: str) -> int:
    """The id of the conversation with this person, 0 while there is none."""
    return Thread.objects.filter(contact__phone=phone).values_list("pk", flat=True).first() or 0


def forward(minutes: int) -> str:
    return fast_forward.forward(timedelta(minutes=minutes)).isoformat()


def now() -> str:
    return clock.now().isoformat()


def contact(phone: str) -> dict[str, Any]:
    """Everything that a test wants to know of one person."""
    found = Contact.objects.filter(phone=phone).first()
    if found is None:
        return {}
    return {
        "consent": found.marketing_consent,
        "service": found.service_consent,
        "ledger": list(
            ConsentRecord.objects.filter(contact=found).order_by("effective_at", "pk").values_list("action", flat=True)
        ),
        "messages": [
            {"body": m.body, "state": m.state, "purpose": m.purpose}
            for m in Message.objects.filter(contact=found).order_by("pk")
        ],
        "enrollments": list(Enrollment.objects.filter(contact=found).values_list("status", "exit_reason")),
        "wakes": [
            w.isoformat() for w in Enrollment.objects.filter(contact=found).values_list("wake_at", flat=True) if w
        ],
    }


def totals() -> dict[str, int]:
    return {
        "contacts": Contact.objects.count(),
        "pending": Delivery.objects.filter(state="pending").count(),
        "parked": Delivery.objects.filter(state="parked").count(),
        "enrollments": Enrollment.objects.count(),
        "finished": Enrollment.objects.filter(status="finished").count(),
        "failed": Enrollment.objects.filter(status="failed").count(),
        "open_batches": Batch.objects.filter(state="sending").count(),
        **{state: Message.objects.filter(state=state).count() for state in Message.State.values},
    }


def serve() -> None:
    """Answer one call a line until nobody asks any more."""
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            answer = {"answer": globals()[name](**arguments)}
        except Exception:  # noqa: BLE001 - the test shall see it, and may go on
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    serve()
