from django.apps import AppConfig


class ShopifyConfig(AppConfig):
    name = "smsflow_plugin.integrations.shopify"
    label = "smsflow_shopify"
    verbose_name = "SMSFlow: Shopify"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from smsflow_plugin.integrations.shopify import listening, policies, writes

        listening.listen()
        policies.register()
        writes.register()
