"""Networks: as settings name them, addresses or networks with commas between; and this machine among all hosts."""

from ipaddress import IPv6Address, ip_address, ip_network
from typing import Annotated

from pydantic import AfterValidator


def _are_networks(value: str) -> str:
    for part in value.split(","):
        try:
            everybody = ip_network(part.strip()).prefixlen == 0
        except ValueError:
            raise ValueError("must be addresses or networks, such as 10.0.0.5 or 10.0.0.0/24") from None
        if everybody:
            raise ValueError("must not hold everybody: each caller could give itself any address")
    return value


def _may_be_posted_to(value: str) -> str:
    try:
        [ip_network(part.strip()) for part in value.split(",") if part.strip()]
    except ValueError:
        raise ValueError("must be addresses or networks, such as 10.20.0.0/16") from None
    return value


def is_loopback(host: str) -> bool:
    """Say whether a host, by name or address, is this machine and reached from nowhere else."""
    if host == "localhost":
        return True
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return (mapped or address).is_loopback


Trusted = Annotated[str, AfterValidator(_are_networks)]
"""Whose word is taken: some networks, never everybody."""

Reachable = Annotated[str, AfterValidator(_may_be_posted_to)]
"""What may be reached: any networks, or none."""
