"""Who answers, as letters and pages name them: the operator, its manual, the authority, who signs."""

from datetime import date
from typing import Annotated

from pydantic import StringConstraints

from models.inquiry import Area
from models.policy_file import Bilingual, Email, Section, Text, Url

Prefix = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")]


class Licence(Section):
    """A licence of the operator, as the letters print it."""

    number: Text
    name: Bilingual


class Operator(Section):
    """Who answers."""

    name: Text
    legal_name: Text
    address: Text
    reference_prefix: Prefix
    website: Url
    manual_url: Url
    status_base_url: Url
    licences: tuple[Licence, ...]
    warning: Bilingual


class ManualVersion(Section):
    """A language's version of the manual (M7.1)."""

    version: Text
    date: date


class Manual(Section):
    """The manual's versions by language."""

    es: ManualVersion
    en: ManualVersion


class Authority(Section):
    """Where a review may be asked for (M3.10); an empty `email` means that the authority's own order names it."""

    name: Bilingual
    phone: Text
    web: Url
    email: Email


class Signing(Section):
    """Who signs the letters: a role and an area, never a person."""

    role: Bilingual
    area: Area
