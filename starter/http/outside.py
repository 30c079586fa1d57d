"""Posting to an address that somebody else named: never into our own networks, never longer than we want to wait.

A name is looked up here, every address it has is checked, and the post goes to one that was checked: asking again on
the way would let the name mean something else by then. TLS still proves the name. No redirect is followed.
"""

import asyncio
import socket
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

import httpx2

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

ANSWER_WITHIN = 10.0
"""Seconds from the look-up of the name to the receiver's status, all in all."""

LONGEST_URL, LAST_PORT = 300, 65_535
_TRANSLATED = ip_network("64:ff9b::/96")
"""IPv6 addresses behind which an IPv4 address stands, a private one as well."""


class Forbidden(ValueError):
    """An address that nothing is posted to; says why, without the address."""


def networks(text: str) -> tuple[Network, ...]:
    """Read networks with commas between them."""
    return tuple(ip_network(part.strip()) for part in text.split(",") if part.strip())


def may_be_reached(address: Address, allowed: Sequence[Network]) -> bool:
    """Whether an address is public, or in a network that is allowed."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if any(address.version == network.version and address in network for network in allowed):
        return True
    if isinstance(address, IPv6Address) and (address.sixtofour or address.teredo or address in _TRANSLATED):
        return False
    return address.is_global and not address.is_multicast


def checked_url(text: str, allowed: Sequence[Network], *, plain: bool) -> str:
    """Return an address that may be subscribed with. `plain` lets http:// pass. Raises Forbidden."""
    if len(text) > LONGEST_URL or not text.isascii() or not text.isprintable() or " " in text:
        raise Forbidden(f"want at most {LONGEST_URL} printable ASCII characters")
    try:
        url = httpx2.URL(text)
        port = url.port
    except (httpx2.InvalidURL, ValueError):
        raise Forbidden("is no address") from None
    if (
        url.scheme not in ({"https", "http"} if plain else {"https"})
        or not url.host
        or port == 0
        or (port or 0) > LAST_PORT
    ):
        raise Forbidden("want https:// and a host")
    if url.userinfo or url.fragment:
        raise Forbidden("must hold no name, no password and no fragment")
    literal = _literal(url.host)
    if literal is not None and not may_be_reached(literal, allowed):
        raise Forbidden("lies in a network that nothing is posted to")
    return text


async def post(
    client: httpx2.AsyncClient, text: str, headers: Mapping[str, str], content: bytes, allowed: Sequence[Network]
) -> tuple[int, str]:
    """Post once; return the receiver's status, 0 where it gave none, and what was wrong in our own words."""
    try:
        async with asyncio.timeout(ANSWER_WITHIN):
            url = httpx2.URL(text)
            address = await _looked_up(url, allowed)
            request = client.build_request(
                "POST",
                url.copy_with(host=str(address)),
                headers={**headers, "host": url.netloc.decode("ascii")},
                content=content,
                extensions={"sni_hostname": url.host},
            )
            answer = await client.send(request, stream=True)
            # What it says beside its status is of no interest, and could be endless.
            await answer.aclose()
    except TimeoutError:
        return 0, f"no answer within {ANSWER_WITHIN:g} s"
    except Forbidden as error:
        return 0, str(error)
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError, UnicodeError) as error:
        return 0, f"cannot be reached: {type(error).__name__}"
    return answer.status_code, "" if answer.is_success else f"answered {answer.status_code}"


def client(**more: object) -> httpx2.AsyncClient:
    """Return a client that keeps no connection, follows nothing and asks no proxy of the environment."""
    limits = httpx2.Limits(max_keepalive_connections=0)
    return httpx2.AsyncClient(timeout=ANSWER_WITHIN, limits=limits, follow_redirects=False, trust_env=False, **more)  # type: ignore[arg-type]


async def _looked_up(url: httpx2.URL, allowed: Sequence[Network]) -> Address:
    """The address to connect to. Raises Forbidden where any address of the name is one of ours, and OSError."""
    port = url.port or (443 if url.scheme == "https" else 80)
    found = await asyncio.get_running_loop().getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
    addresses = sorted((ip_address(str(entry[4][0]).partition("%")[0]) for entry in found), key=lambda one: one.version)
    if not addresses or not all(may_be_reached(one, allowed) for one in addresses):
        raise Forbidden("its name leads into a network that nothing is posted to")
    return addresses[0]


def _literal(host: str) -> Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None
