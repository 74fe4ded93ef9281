"""Whether whoever follows a link is a person, as far as that can be told without keeping who it was. Pure.

Machines follow links before guests do: programs that show a preview of a page, and scanners of mails. Rules:
- HEAD is asked by machines alone, and so is what is fetched beforehand (`Sec-Purpose`, `Purpose`, `X-Moz`);
- a program says what it is: one that says nothing, or one of these words, is a machine;
- whoever follows the links of a message three times in two seconds reads none of them (`AT_ONCE` in
  `bellhop/engine/link_clicks.py`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

_LONGEST_AGENT = 512
# The previews of WhatsApp, iMessage (which calls itself facebookexternalhit and Twitterbot), Slack, Teams and Skype,
# Telegram, Discord, Signal, Viber, LINE; scanners of mail programs and firewalls; and libraries of HTTP.
_MACHINES = re.compile(
    r"(?<!cu)bot\b|crawl|spider|preview|facebookexternalhit|facebot|whatsapp|skypeuri|telegram|discord|viber|\bline-?poker"
    r"|linkedin|pinterest|embedly|iframely|google-safety|googleimageproxy|feedfetcher|yahoomailproxy|proofpoint"
    r"|mimecast|barracuda|symantec|fortinet|trendmicro|sophos|safelinks|bitdefender|urlscan|virustotal|headless"
    r"|phantomjs|puppeteer|playwright|curl/|wget/|python|aiohttp|httpx|requests|go-http-client|java/|okhttp"
    r"|apache-httpclient|libwww|node-fetch|axios|undici|guzzle|scanner|monitor|validator",
    re.IGNORECASE,
)


def is_machine(headers: Mapping[str, str], *, head: bool) -> bool:
    """By what it asks with. `headers`: their names in lower case."""
    early = " ".join(headers.get(name, "")[:100] for name in ("sec-purpose", "purpose", "x-moz")).lower()
    agent = headers.get("user-agent", "")[:_LONGEST_AGENT].strip()
    return head or "prefetch" in early or "prerender" in early or not agent or _MACHINES.search(agent) is not None
