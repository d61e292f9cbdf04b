"""Publishing a flow: the form becomes an immutable version, in the same transaction."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max, Min
from wagtail.actions.publish_revision import PublishPermissionError, PublishRevisionAction
from wagtail.log_actions import log
from wagtail.models import Revision

from smsflow_plugin import clock
from smsflow_plugin.flows.compiler import compile_flow
from smsflow_plugin.flows.models import Flow, FlowVersion
from smsflow_plugin.flows.problems import CannotCompile
from smsflow_plugin.stores.models import StoreLogEntry

logger = logging.getLogger(__name__)

#: The log's name for "this revision became that version": versions hold programs, revisions the forms.
NEW_VERSION = "smsflow.new_version"


class PublishFlowAction(PublishRevisionAction):  # type: ignore[misc]
    """Publish or schedule a flow, if its form compiles.

    A flow that is due by schedule but no longer compiles (a step's app was removed
    since) is taken off the schedule and stays a draft: Wagtail publishes everything
    that is due in one loop, and an error would hold up everybody else's.
    """

    object: Flow

    def check(self, skip_permission_checks: bool = False) -> None:
        if self.user is None or skip_permission_checks:
            return
        if not self.permission_policy.user_has_permission_for_instance(self.user, "publish", self.object):
            raise PublishPermissionError("You do not have permission to publish this flow.")

    def execute(self, skip_permission_checks: bool = False) -> Any:
        """Publish.

        :raises CannotCompile: if the form is not a program yet.
        """
        try:
            with transaction.atomic():
                return super().execute(skip_permission_checks=skip_permission_checks)
        except CannotCompile as problem:
            if not self._is_due_by_schedule():
                raise
            logger.error("Flow %s was due but cannot be published: %s", self.object.pk, problem)
            self.revision.approved_go_live_at = None
            self.revision.save(update_fields=["approved_go_live_at"])
            return None

    def _publish_revision(self, revision: Any, object: Flow, *args: Any, **kwargs: Any) -> Any:
        program = compile_flow(object)
        # Wagtail schedules by the machine's time, whatever a simulation says
        if not (object.go_live_at and object.go_live_at > clock.system()):
            object.current_version = self._version(object, program)
        return super()._publish_revision(revision, object, *args, **kwargs)

    def _version(self, flow: Flow, program: Any) -> FlowVersion:
        """Return the flow's version with this content: the current one, or else a new one."""
        # not against those who write rows that name the flow
        flows = Flow.objects.select_for_update(no_key=True, of=("self",))
        locked = flows.select_related("current_version").get(pk=flow.pk)
        current = locked.current_version
        if current is not None and current.content_hash == program.content_hash:
            return current  # it runs on as it is, and so does everybody in it
        last = FlowVersion.objects.filter(flow=flow).aggregate(last=Max("number"))["last"] or 0
        version = FlowVersion.objects.create(
            store_id=flow.store_id,
            flow=flow,
            number=last + 1,
            content_hash=program.content_hash,
            program=program.to_json(),
            published_by=self.user.get_username() if self.user else "",
        )
        log(
            instance=flow,
            action=NEW_VERSION,
            user=self.user,
            revision=self.revision,
            timestamp=clock.now(),
            data={"version": version.pk, "number": version.number, "revision": self.revision.pk},
        )
        return version

    def _is_due_by_schedule(self) -> bool:
        due = self.revision.approved_go_live_at
        return self.user is None and due is not None and due <= clock.system()


def forms_of(versions: Iterable[FlowVersion]) -> dict[int, Any]:
    """Return the revision that each version was made of, by the version's id, with two queries.

    Versions from before this was noted, and those whose revision was purged, are left out.
    """
    wanted = {version.pk: version.flow_id for version in versions}
    entries = StoreLogEntry.objects.filter(
        action=NEW_VERSION, object_id__in={str(flow) for flow in wanted.values()}
    ).values_list("data", flat=True)
    made = {data["version"]: data["revision"] for data in entries if data.get("version") in wanted}
    revisions = Revision.objects.in_bulk(made.values())
    return {version: revisions[revision] for version, revision in made.items() if revision in revisions}


def first_published(flow_ids: Collection[int]) -> dict[int, datetime]:
    """Return when each of these flows was published for the first time, with two queries.

    The log tells; a flow's first version may be a draft that was only tested. Flows from before this was
    noted had no such versions.
    """
    first = FlowVersion.objects.filter(flow_id__in=flow_ids, number=1).values_list("flow_id", "published_at")
    entries = StoreLogEntry.objects.filter(action=NEW_VERSION, object_id__in=[str(pk) for pk in flow_ids]).order_by()
    logged = entries.values_list("object_id").annotate(at=Min("timestamp"))
    return {**dict(first), **{int(pk): at for pk, at in logged}}
