"""What is outside: the names that users, providers and receivers of webhooks are reached by."""

import socket
from collections.abc import Iterator, Mapping
from ipaddress import ip_address
from urllib.parse import urlsplit

from models.policy import Policy
from records import hooks
from records.database import Database
from settings import Settings
from starter.admin.oidc_settings import oidc_settings
from starter.checkup.finding import Finding


def names(settings: Settings, policy: Policy, database: Database) -> Iterator[Finding]:
    """Look up every host. Where mail goes to (MX) is not looked up."""
    urls = {
        "status page": settings.status_base_url or policy.operator.status_base_url,
        "sign-in provider": oidc_settings(settings).issuer,
    }
    if settings.email_outgoing == "sendgrid":
        urls["SendGrid"] = settings.sendgrid_host
    with database.read() as session:
        urls |= {f"webhook {row.id}": row.url for row in hooks.all_of_them(session) if row.off_at is None}
    yield from _looked_up(urls)


def _looked_up(urls: Mapping[str, str]) -> Iterator[Finding]:
    for name, url in urls.items():
        host = urlsplit(url).hostname
        if not host:
            continue
        known = _is_address(host) or _resolves(host)
        mend = "" if known else "enter it in the DNS, or correct the address that is set"
        yield Finding(f"name of {name}", f"{host}: {'known' if known else 'unknown to the DNS'}", mend)


def _resolves(host: str) -> bool:
    try:
        return bool(socket.getaddrinfo(host, 443))
    except OSError:
        return False


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
