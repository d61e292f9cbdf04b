"""The templates themselves: who, when and which words, in every language side by side."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from smsflow_plugin.flows.library.definitions import (
    FlowTemplate,
    IfStep,
    Outside,
    SendStep,
    compare,
    not_happened,
    wait,
    wait_for,
)

#: Carriers in the US allow one reminder for a cart, within 48 hours.
ONE_CART_REMINDER = frozenset({"US"})

WELCOME = FlowTemplate(
    key="welcome",
    name=_("Welcome"),
    description=_(
        "Greets people the moment they agree to texts, and says what they can expect. "
        "Who has not bought anything a day later is shown a place to start."
    ),
    icon="comment",
    trigger="opted_in",
    goal="order_created",
    exits=("order_created", "opted_out"),
    reentry="never",
    priority_number=20,
    steps=(
        SendStep(
            texts={
                "en": "Hi {{ contact.first_name | default: 'there' }}, you're in! News and offers come to you first. "
                "Msg freq varies, msg & data rates may apply. HELP for help.",
                "da": "Hej {{ contact.first_name | default: 'og velkommen' }}, du er med! Du hører først om nyheder, "
                "varer på lager igen og tilbud. Svar HJÆLP for hjælp.",
            },
            hold_hours=48,
        ),
        wait_for("order_created", amount=24, unit="hours"),
        IfStep(
            rules=(not_happened("order_created"),),
            yes=(
                SendStep(
                    texts={
                        "en": "Not sure where to start? Have a look at our bestsellers, the things that people come "
                        "back for. {{ store.url | default: '' }}",
                        "da": "I tvivl om, hvor du skal begynde? Start med det, som vores kunder kommer igen "
                        "efter. {{ store.url | default: '' }}",
                    },
                    hold_hours=48,
                ),
            ),
        ),
    ),
)

ABANDONED_CART = FlowTemplate(
    key="abandoned_cart",
    name=_("Abandoned cart"),
    description=_(
        "Reminds people of a checkout that they left an hour ago, with a link straight back to it. Outside the US, "
        "people who have bought before get one more text a day later. Stops as soon as they order, on any device."
    ),
    icon="resubmit",
    trigger="checkout_updated",
    goal="order_created",
    audience=(not_happened("order_created", hours=24),),
    exits=("order_created", "opted_out"),
    reentry="after",
    reentry_days=7,
    restart=True,
    priority_number=10,
    steps=(
        wait_for("order_created", amount=60, unit="minutes"),
        SendStep(
            texts={
                "en": "Hi {{ contact.first_name | default: 'there' }}, you left {{ cart.first_item }} in your cart. "
                "We saved it for you: {{ cart.url }}",
                "da": "Hej {{ contact.first_name | default: 'med dig' }}, du glemte {{ cart.first_item }} i kurven. "
                "Vi har gemt den til dig: {{ cart.url }}",
            },
            fallback={
                "en": "You left something in your cart. We saved it for you: {{ cart.url }}",
                "da": "Du glemte noget i kurven. Vi har gemt den til dig: {{ cart.url }}",
            },
            # 47 hours after the first one: within 48 hours of the cart
            hold_hours=47,
        ),
        Outside(
            ONE_CART_REMINDER,
            (
                wait_for("order_created", amount=23, unit="hours"),
                IfStep(
                    # contacts whose country is unknown count as not in the US: the store is not there either
                    rules=(compare("orders_count", "ge", "1"), compare("country", "ne", "US")),
                    yes=(
                        SendStep(
                            texts={
                                "en": "Still thinking it over? Your cart is here until you are ready: {{ cart.url }}",
                                "da": "Tænker du stadig over det? Din kurv står her, til du er klar: {{ cart.url }}",
                            },
                            hold_hours=24,
                        ),
                    ),
                ),
            ),
        ),
    ),
)

POST_PURCHASE = FlowTemplate(
    key="post_purchase",
    name=_("After the purchase"),
    description=_(
        "Thanks people for their order, helps them once the parcel has arrived, and two weeks later shows what goes "
        "well with it. Marketing, so only for people who agreed to it."
    ),
    icon="circle-check",
    trigger="order_created",
    goal="order_created",
    exits=("order_cancelled", "opted_out"),
    reentry="after",
    reentry_days=30,
    priority_number=30,
    steps=(
        SendStep(
            texts={
                "en": "Thank you for your order, {{ contact.first_name | default: 'friend' }}! We are getting "
                "{{ order.first_item }} ready. Follow it here: {{ order.url }}",
                "da": "Tak for din ordre, {{ contact.first_name | default: 'kære kunde' }}! Vi gør "
                "{{ order.first_item }} klar. Følg den her: {{ order.url }}",
            },
            fallback={
                "en": "Thank you for your order! We are getting it ready.",
                "da": "Tak for din ordre! Vi er ved at gøre den klar.",
            },
            hold_hours=24,
        ),
        wait_for("parcel_delivered", amount=21, unit="days"),
        wait(1, "days"),
        SendStep(
            texts={
                "en": "Is {{ order.first_item }} just right? Try it soon, while an exchange is easy: {{ order.url }}",
                "da": "Passer {{ order.first_item }}, som den skal? Prøv den snart, mens det er let at bytte: "
                "{{ order.url }}",
            },
            fallback={
                "en": "Is everything just right? Try your order soon, while an exchange is easy.",
                "da": "Er alt, som det skal være? Prøv din ordre snart, mens det er let at bytte.",
            },
            hold_hours=72,
        ),
        wait(2, "weeks"),
        IfStep(
            rules=(not_happened("order_created", hours=14 * 24),),
            yes=(
                SendStep(
                    texts={
                        "en": "Hi {{ contact.first_name | default: 'there' }}, we have found what goes well with "
                        "{{ order.first_item }}. Have a look in the shop. {{ store.url | default: '' }}",
                        "da": "Hej {{ contact.first_name | default: 'med dig' }}, vi har fundet det, der passer til "
                        "{{ order.first_item }}. Kig forbi butikken. {{ store.url | default: '' }}",
                    },
                    fallback={
                        "en": "We have found what goes well with your order. Have a look in the shop.",
                        "da": "Vi har fundet det, der passer til din ordre. Kig forbi butikken.",
                    },
                    hold_hours=72,
                ),
            ),
        ),
    ),
)

TEMPLATES: dict[str, FlowTemplate] = {template.key: template for template in (WELCOME, ABANDONED_CART, POST_PURCHASE)}
