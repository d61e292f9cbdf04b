"""Carries every store's hours and caps over into the rows of its policy, and tells flows their stage."""

from __future__ import annotations

from typing import Any

from django.db import migrations

DAYS = 7

#: The stage of each template's flows, as the library has it since.
STAGES = {
    "abandoned_cart": "cart",
    "back_in_stock": "browse",
    "birthday": "retention",
    "browse_abandonment": "browse",
    "care_followup": "after",
    "double_opt_in": "welcome",
    "event_reminder": "order",
    "feedback": "after",
    "flash_sale": "news",
    "keyword_lead": "welcome",
    "lead_nurture": "welcome",
    "loyalty": "retention",
    "nps": "after",
    "order_updates": "order",
    "pickup": "order",
    "post_purchase": "after",
    "price_drop": "browse",
    "referral": "retention",
    "replenishment": "retention",
    "reviews": "after",
    "send_message": "news",
    "subscription_save": "retention",
    "vip_early": "news",
    "welcome": "welcome",
    "win_back": "win_back",
}


def forwards(apps: Any, schema_editor: Any) -> None:
    for policy in apps.get_model("smsflow", "Policy").objects.all().iterator():
        policy.week = [[policy.opens_at.isoformat(), policy.closes_at.isoformat()]] * DAYS
        policy.caps = [
            {"limit": policy.cap_per_day, "window": "day", "scope": "all", "of": ""},
            {"limit": policy.cap_per_week, "window": "week", "scope": "all", "of": ""},
        ]
        policy.save(update_fields=["week", "caps"])
    flows = apps.get_model("smsflow", "Flow").objects
    for template, stage in STAGES.items():
        flows.filter(template=template, stage="").update(stage=stage)


def backwards(apps: Any, schema_editor: Any) -> None:
    from datetime import time

    for policy in apps.get_model("smsflow", "Policy").objects.all().iterator():
        day = next((day for day in policy.week or () if day), ["09:00", "20:00"])
        limits = {row["window"]: row["limit"] for row in policy.caps if row.get("scope", "all") == "all"}
        policy.opens_at, policy.closes_at = (time.fromisoformat(wall) for wall in day)
        policy.cap_per_day = limits.get("day", 2)
        policy.cap_per_week = limits.get("week", 5)
        policy.save(update_fields=["opens_at", "closes_at", "cap_per_day", "cap_per_week"])


class Migration(migrations.Migration):
    dependencies = [("smsflow", "0004_governance")]

    operations = [migrations.RunPython(forwards, backwards)]
