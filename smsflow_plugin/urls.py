"""What vendors call, and what people reach from their texts and the shop's pages.

Include it under a path of your choice, for example ``smsflow/``.
"""

from django.urls import URLPattern, URLResolver, include, path

from smsflow_plugin.conf import smsflow_settings
from smsflow_plugin.landing.views import landing_page
from smsflow_plugin.links.views import open_link
from smsflow_plugin.signup import views
from smsflow_plugin.signup.preference_views import preferences

app_name = "smsflow"
urlpatterns: list[URLPattern | URLResolver] = [
    path("join/<str:token>/", views.page, name="join"),
    path("join/<str:token>/frame/", views.frame, name="join_frame"),
    path("join/<str:token>/embed.js", views.embed_script, name="join_script"),
    path("l/<str:code>", open_link, name="link"),
    path("page/<int:store>/<str:token>/", landing_page, name="landing"),
    path("preferences/<str:token>/", preferences, name="preferences"),
    *(
        path(f"{prefix}/", include((module, prefix), namespace=prefix))
        for prefix, module in smsflow_settings.WEBHOOK_URLS.items()
    ),
]
