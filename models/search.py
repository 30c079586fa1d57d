"""The typed search attributes: declared here once, used by the workflow, the server's start, tests and queries.

They are stored in clear in the engine, so they carry statuses, kinds and dates, never anything about a person. SQL
visibility allows three attributes of each type, hence one list of flags instead of a Bool for each.
"""

from typing import Any

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.common import SearchAttributeKey

INQUIRY_STATUS = SearchAttributeKey.for_keyword("InquiryStatus")
INQUIRY_KIND = SearchAttributeKey.for_keyword("InquiryKind")
INQUIRY_CHANNEL = SearchAttributeKey.for_keyword("InquiryChannel")
INQUIRY_AREA = SearchAttributeKey.for_keyword("InquiryArea")
NEXT_OBLIGATION = SearchAttributeKey.for_keyword("NextObligation")
NEXT_DUE_AT = SearchAttributeKey.for_datetime("NextDueAt")
RESOLUTION_DUE_AT = SearchAttributeKey.for_datetime("ResolutionDueAt")
INQUIRY_FLAGS = SearchAttributeKey.for_keyword_list("InquiryFlags")

SEARCH_ATTRIBUTES: tuple[SearchAttributeKey[Any], ...] = (
    INQUIRY_STATUS,
    INQUIRY_KIND,
    INQUIRY_CHANNEL,
    INQUIRY_AREA,
    NEXT_OBLIGATION,
    NEXT_DUE_AT,
    RESOLUTION_DUE_AT,
    INQUIRY_FLAGS,
)


def cli_arguments() -> list[str]:
    """Return `Name=Type` for each attribute, as `temporal server start-dev --search-attribute` wants them."""
    return [f"{key.name}={_type_name(key)}" for key in SEARCH_ATTRIBUTES]


def _type_name(key: SearchAttributeKey[Any]) -> str:
    # INDEXED_VALUE_TYPE_KEYWORD_LIST is KeywordList on the command line.
    name = IndexedValueType.Name(IndexedValueType.ValueType(key.indexed_value_type))
    return name.removeprefix("INDEXED_VALUE_TYPE_").title().replace("_", "")
