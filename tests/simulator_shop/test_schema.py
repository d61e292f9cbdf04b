"""The stand-in's schema is Shopify's, only smaller."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from graphql import GraphQLEnumType, parse, validate

from smsflow_plugin.integrations.simulator.shopify_api.schema import FILE, admin_schema
from tests.simulator_shop.documents import DOCS, MORE

TOP = Path(__file__).resolve().parent.parent.parent


def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("shopify_schema", TOP / "tools" / "shopify_schema.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def published() -> Path:
    path: Path = tool().default_source()
    if not path.exists():
        pytest.skip("SMSFLOW_SHOPIFY_SCHEMA names no published introspection of Shopify's Admin API.")
    return path


def test_the_file_is_what_the_tool_cuts_out_of_the_published_schema(published: Path) -> None:
    cut = tool()
    assert cut.cut_out(published) == FILE.read_text(encoding="utf-8")


def test_every_document_is_valid_in_the_whole_schema(published: Path) -> None:
    schema = tool().load(published)
    for name, text in (DOCS | MORE).items():
        assert validate(schema, parse(text)) == [], name


@pytest.mark.parametrize("name", sorted(DOCS | MORE))
def test_every_document_is_valid_in_the_part(name: str) -> None:
    assert validate(admin_schema(), parse((DOCS | MORE)[name])) == []


def test_all_topics_are_there() -> None:
    topics = admin_schema().type_map["WebhookSubscriptionTopic"]
    assert isinstance(topics, GraphQLEnumType)
    assert len(topics.values) > 200
    assert "CUSTOMERS_REDACT" not in topics.values


def test_the_file_is_small_and_says_where_it_is_from() -> None:
    text = FILE.read_text(encoding="utf-8")
    assert len(text) < 200_000
    assert "@shopify/dev-mcp 1.16.0, ISC licence" in text[:500]
