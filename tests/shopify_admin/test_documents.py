"""Everything that the adapter asks is valid GraphQL for the version that it names."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("graphql", reason="graphql-core is not installed")

from graphql import parse, validate

from smsflow_plugin.integrations.shopify.admin.documents import ALL, VERSION, Document
from smsflow_plugin.integrations.simulator.shopify_api.schema import admin_schema
from tests.simulator_shop.test_schema import published, tool

__all__ = ["published"]

#: What the stand-in's part of the schema leaves out.
NOT_IN_THE_PART = {"PartOfOrder"}


def test_every_document_is_valid_in_the_whole_schema(published: Path) -> None:
    assert VERSION in published.name
    schema = tool().load(published)
    found = {document.name: [error.message for error in validate(schema, parse(document.text))] for document in ALL}
    assert {name: errors for name, errors in found.items() if errors} == {}


@pytest.mark.parametrize("document", ALL, ids=lambda document: document.name)
def test_the_stand_in_understands_every_document(document: Document) -> None:
    errors = validate(admin_schema(), parse(document.text))
    assert bool(errors) == (document.name in NOT_IN_THE_PART), errors


def test_no_two_documents_have_one_name() -> None:
    assert len({document.name for document in ALL}) == len(ALL) > 20
