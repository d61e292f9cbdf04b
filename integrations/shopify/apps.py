from django.apps import AppConfig


class ShopifyConfig(AppConfig):
    name = "smsflow_plugin.integrations.shopify"
    label = "smsflow_shopify"
    verbose_name = "SMSFlow: Shopify"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from wagtail.signals import published, unpublished

        from smsflow_plugin.events import words
        from smsflow_plugin.integrations.shopify import listening, policies, writes
        from smsflow_plugin.integrations.shopify.soon import flow_changed, scopes_changed
        from smsflow_plugin.integrations.shopify.sync.importing import bulk_finished
        from smsflow_plugin.models import Flow

        listening.listen()
        listening.on_bulk_finished(bulk_finished)
        words.listen("scopes_changed", scopes_changed)
        policies.register()
        writes.register()
        for signal in (published, unpublished):
            signal.connect(flow_changed, sender=Flow, dispatch_uid="smsflow_shopify_subscriptions")
