from wagtail import hooks

from smsflow_plugin.integrations.simulator.viewset import SimulatorViewSet


@hooks.register("register_admin_viewset")
def register_simulator() -> SimulatorViewSet:
    return SimulatorViewSet()
