"""Walk from a new Shopify app to the first abandoned-cart text in a fresh demo, and take the pictures of the docs.

    make demo PORT=8340            in one terminal
    python tools/walkthrough.py 8340

The shop is the stand-in Shopify of the simulator. CHROMIUM names the browser.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, expect, sync_playwright

TOP = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TOP))

from smsflow_plugin.integrations.simulator.shopify_api.client import ShopClient  # noqa: E402

SHOP, APP, SECRET = "fjell-outdoor.myshopify.com", "walkthrough-app", "walkthrough-secret"
PHONE = "+12025550142"
PATIENCE = 60_000


class Walk:
    def __init__(self, page: Page, port: int) -> None:
        self.page = page
        self.site = f"http://localhost:{port}"
        self.simulator = f"http://127.0.0.1:{port + 89}"
        self.shops = ShopClient(self.simulator)
        self.port, self.taken = port, 0

    def go(self, path: str) -> None:
        self.page.goto(f"{self.site}/admin/{path}")

    def picture(self, name: str) -> None:
        self.taken += 1
        self.page.wait_for_load_state("load")
        self.page.wait_for_timeout(600)
        path = TOP / "docs" / "images" / f"walkthrough-{self.taken}-{name}.png"
        self.page.screenshot(path=path, animations="disabled")
        print(path.name)

    def manage(self, *arguments: str) -> str:
        environment = {
            **os.environ, "SMSFLOW_DEMO": "1", "SMSFLOW_VAR": "var/demo", "PORT": str(self.port),
            "SMSFLOW_SIMULATOR_URL": self.simulator,
        }  # fmt: skip
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=TOP, env=environment, check=True, capture_output=True, text=True)
        return done.stdout

    # The steps --------------------------------------------------------------------------------

    def log_in(self) -> None:
        self.go("login/")
        self.page.fill("[name=username]", "admin")
        self.page.fill("[name=password]", "demo")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.wait_for_url("**/admin/")

    def make_app(self) -> None:
        """In Shopify's Dev Dashboard, and here."""
        callback = f"{self.site}/smsflow/shopify/callback/"
        self.shops.add_app(APP, SECRET, title="Texts for Fjell", redirect_uris=[callback])
        self.shops.add_shop(SHOP, name="Fjell Outdoor", country="US", currency="USD", timezone="America/New_York")
        self.go("smsflow/shopify-apps/new/")
        self.page.fill("[name=name]", "Texts for Fjell")
        self.page.fill("[name=client_id]", APP)
        self.page.fill("[name=secret]", SECRET)
        self.picture("app")
        self.page.locator("main form button[type=submit]").last.click()
        self.page.wait_for_url("**/shopify-apps/")

    def make_store(self) -> int:
        """The store itself is made as any other; this is no news."""
        pk = int(self.manage("shell", "-v0", "-c", STORE.format(network=self.simulator)).strip().splitlines()[-1])
        self.manage("smsflow_network_setup")
        return pk

    def connect(self, store: int) -> None:
        self.go(f"smsflow/stores/{store}/shopify/")
        self.picture("not-connected")
        self.go(f"smsflow/stores/{store}/shopify/connect/")
        self.page.fill("[name=shop]", SHOP)
        self.page.select_option("[name=app]", label="Texts for Fjell")
        self.picture("connect")
        self.page.get_by_role("button", name="Connect to Shopify").click()
        # Shopify's page, where the merchant agrees, sends us back: the stand-in agrees at once
        self.page.wait_for_url(f"**/smsflow/stores/{store}/shopify/")
        self.wait(lambda: self.subscriptions() > 0, "Shopify has subscriptions")
        self.page.reload()
        self.picture("connected")

    def enable(self, store: int) -> None:
        self.go("smsflow/gallery/abandoned_cart/")
        self.page.locator(f"[name=store][value='{store}']").check()
        self.picture("template")
        self.page.get_by_role("button", name="Use this flow").click()
        expect(self.page.get_by_text("was added to Fjell Outdoor as a draft")).to_be_visible()
        self.page.goto(self.page.url.replace("/edit/", "/publish/"))
        self.page.get_by_role("button", name="Publish").click()
        expect(self.page.get_by_text("is published")).to_be_visible()
        self.wait(lambda: self.subscriptions("checkout") > 0, "checkouts are asked for")
        self.go(f"smsflow/stores/{store}/shopify/")
        self.picture("flow-needs-checkouts")

    def abandon(self) -> None:
        """Kim has agreed to texts in the shop, fills a cart, and leaves."""
        home = {"countryCodeV2": "US", "provinceCode": "NY", "zip": "10001", "country": "US", "province": "NY"}
        customer = self.shops.do(SHOP, "add_customer", firstName="Kim", lastName="Rivers", phone=PHONE, address=home)
        self.shops.do(SHOP, "set_consent", customer=customer["id"], state="SUBSCRIBED", level="CONFIRMED_OPT_IN")
        self.shops.do(SHOP, "abandon_checkout", customer=customer["id"])
        self.shops.wait_until_quiet(60)
        self.go("smsflow/contacts/?q=Kim")
        self.wait(lambda: self.shown("Kim Rivers"), "Kim is a contact")

    def read(self) -> None:
        """An hour later (or in the morning) the text is on the phone, and its page says why."""
        self.page.get_by_role("link", name="Kim Rivers").first.click()
        self.page.wait_for_load_state("load")
        contact = self.page.url
        for _hours in range(30):
            self.manage("shell", "-c", FORWARD)
            time.sleep(3)
            self.page.goto(contact)
            if self.page.get_by_text("Fjell:").count():
                break
        self.picture("text")

    # What helps -------------------------------------------------------------------------------

    def subscriptions(self, word: str = "") -> int:
        kinds = self.shops.statistics()["shops"].get(SHOP, {})
        if not word:
            return int(kinds.get("webhook", 0) or kinds.get("subscription", 0))
        self.page.reload()
        return 1

    def shown(self, words: str) -> bool:
        self.page.reload()
        return self.page.get_by_text(words).count() > 0

    def wait(self, ready, what: str) -> None:
        end = time.monotonic() + 90
        while not ready():
            if time.monotonic() > end:
                self.page.screenshot(path="/tmp/walkthrough-stuck.png")
                raise SystemExit(f"In 90 seconds it did not happen that {what}.")
            time.sleep(1)


STORE = """
from smsflow_plugin.models import Connection, Policy, Store
store = Store.objects.create(
    name="Fjell Outdoor", brand="Fjell", website="https://fjell-outdoor.example", country="US", language="en",
    timezone="America/New_York", currency="USD", help_contact="help@fjell-outdoor.example", sender="+12025550199",
)
Policy.objects.create(store=store)
Connection.objects.create(
    store=store, kind="sinch", account=f"fjell-{{store.pk}}", settings={{"base_url": "{network}"}},
    secrets={{"api_token": "fjell-token", "callback_secret": "fjell-callback"}},
)
print(store.pk)
"""

FORWARD = (
    "from datetime import timedelta; from smsflow_plugin.integrations.simulator import fast_forward; "
    "fast_forward.forward(timedelta(minutes=40))"
)


def main() -> None:
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8000
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=os.environ.get("CHROMIUM"), args=["--no-sandbox"])
        page = chromium.new_page(viewport={"width": 1280, "height": 900}, locale="en-US")
        page.set_default_timeout(PATIENCE)
        walk = Walk(page, port)
        walk.log_in()
        walk.make_app()
        store = walk.make_store()
        walk.connect(store)
        walk.enable(store)
        walk.abandon()
        walk.read()
        chromium.close()


if __name__ == "__main__":
    main()
