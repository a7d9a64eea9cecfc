"""Services that tell their callers from where they call: one ordinary place, the same everywhere.

Their names, and the form of the question on hosts of such a name. The address is one of a large provider for homes; in
the world ``locale`` it is one of the country whose language the machine speaks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from package_hunter.decoy.context import DecoyContext
from package_hunter.decoy.web import Answer, Ask, json_answer

_TEXT = (
    "ifconfig.me", "icanhazip.com", "ipv4.icanhazip.com", "ipecho.net", "checkip.amazonaws.com", "ident.me",
    "v4.ident.me", "ipinfo.in", "whatismyip.akamai.com", "myexternalip.com", "wtfismyip.com", "ip.sb", "api.ip.sb",
    "bot.whatismyipaddress.com", "ifconfig.co", "ifconfig.io", "eth0.me", "l2.io", "ipv4.ip.sb", "tnx.nl",
    "curlmyip.net", "myip.dnsomatic.com", "ip.tyk.nu", "api.my-ip.io",
)  # fmt: skip
_JSON = (
    "ip-api.com", "pro.ip-api.com", "ipinfo.io", "ipapi.co", "ipwho.is", "ipwhois.app", "freeipapi.com", "geojs.io",
    "get.geojs.io", "freegeoip.app", "freegeoip.net", "api.ipgeolocation.io", "api.ipstack.com",
    "extreme-ip-lookup.com",
    "api.ipdata.co", "api.db-ip.com", "geolocation-db.com", "api.country.is", "reallyfreegeoip.org",
    "api.iplocation.net",
    "api.myip.com", "ipapi.is", "api.ipapi.is", "api.ip2location.io", "api.seeip.org", "api.2ip.ua",
    "json.geoiplookup.io",
)  # fmt: skip
_IPIFY = ("api.ipify.org", "api64.ipify.org", "api4.ipify.org", "geo.ipify.org")
HOSTS = frozenset((*_TEXT, *_JSON, *_IPIFY))


@dataclass(frozen=True, slots=True)
class Place:
    """Where the caller seems to be."""

    prefix: str  # of its address
    country: str
    code: str
    region: str
    region_code: str
    city: str
    postal: str
    where: tuple[float, float]
    zone: str
    provider: str
    number: str  # of the provider's autonomous system


_HOME = Place(
    "84.118", "Germany", "DE", "Land Berlin", "BE", "Berlin", "10115", (52.5235, 13.4115), "Europe/Berlin",
    "Vodafone GmbH", "AS3209",
)  # fmt: skip
_ELSEWHERE = Place(
    "95.24", "Russia", "RU", "Moscow", "MOW", "Moscow", "101000", (55.7522, 37.6156), "Europe/Moscow",
    "PJSC Vimpelcom", "AS8402",
)  # fmt: skip


class GeoIp:
    """Says the same place in each service's own words."""

    def __init__(self, world: DecoyContext) -> None:
        self._place = _ELSEWHERE if world.spec.world == "locale" else _HOME
        number = world.steady.number
        self._address = f"{self._place.prefix}.{number('geo 3', 1, 250)}.{number('geo 4', 2, 250)}"

    def matches(self, ask: Ask) -> bool:
        return ask.host.removeprefix("www.") in HOSTS

    def answer(self, ask: Ask) -> Answer | None:
        host, last = ask.host.removeprefix("www."), ask.raw_path.rstrip("/").rpartition("/")[2]
        simple = self._field(last)
        if simple is not None:
            return Answer(200, f"{simple}\n".encode(), type="text/plain; charset=utf-8")
        plain = host in _IPIFY and "format=json" not in ask.query and host != "geo.ipify.org"
        wants = "json" in f"{ask.target} {ask.headers.get('accept', '')}".lower()
        if plain or (host in _TEXT and not wants):
            return Answer(
                200, self._address.encode() + b"\n" * (host in _TEXT), type="text/plain; charset=utf-8"
            )
        return json_answer(json.dumps(self._told(host)))

    def _field(self, name: str) -> str | None:
        """What a path such as ``/ip`` or ``/country`` alone asks for."""
        place = self._place
        known = {"ip": self._address, "country": place.code, "city": place.city, "region": place.region,
                 "org": f"{place.number} {place.provider}", "loc": f"{place.where[0]},{place.where[1]}",
                 "timezone": place.zone, "postal": place.postal}  # fmt: skip
        return known.get(name)

    def _told(self, host: str) -> dict[str, Any]:
        place, address = self._place, self._address
        if host.endswith("ip-api.com"):
            return {
                "status": "success", "country": place.country, "countryCode": place.code, "region": place.region_code,
                "regionName": place.region, "city": place.city, "zip": place.postal, "lat": place.where[0],
                "lon": place.where[1], "timezone": place.zone, "isp": place.provider, "org": place.provider,
                "as": f"{place.number} {place.provider}", "query": address, "hosting": False, "proxy": False,
                "mobile": False,
            }  # fmt: skip
        if host == "ipinfo.io":
            return {
                "ip": address, "city": place.city, "region": place.region, "country": place.code,
                "loc": f"{place.where[0]},{place.where[1]}",
                "org": f"{place.number} {place.provider}", "postal": place.postal, "timezone": place.zone,
            }  # fmt: skip
        return {
            "ip": address, "success": True, "country": place.country, "country_name": place.country,
            "country_code": place.code, "countryCode": place.code, "cc": place.code, "region": place.region,
            "region_name": place.region, "region_code": place.region_code, "city": place.city, "postal": place.postal,
            "zip": place.postal, "latitude": place.where[0], "longitude": place.where[1], "timezone": place.zone,
            "org": place.provider, "isp": place.provider, "asn": place.number, "in_eu": place.code == "DE",
        }  # fmt: skip
