"""Tells people who open a link from programs that do. Pure.

Message apps look at a link to show a preview, on the phone of whoever sends or gets the text; scanners open it within
seconds; browsers fetch it ahead. None of them is a click. Who cannot be told apart is a person: an own list knows what
follows texts, and the library ``crawlerdetect`` the rest of the web.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from crawlerdetect import CrawlerDetect  # type: ignore[import-untyped]

#: The values of ``Click.kind``.
HUMAN, PREVIEW, BOT, PREFETCH, HEAD = "human", "preview", "bot", "prefetch", "head"

#: Headers by which browsers say that nobody has opened the page yet.
_AHEAD = ("purpose", "sec-purpose", "x-purpose", "x-moz")
_AHEAD_WORDS = re.compile(r"prefetch|prerender|preview", re.IGNORECASE)

#: iMessage calls itself Facebook's and Twitter's at once; Signal calls itself WhatsApp.
_PREVIEWS = re.compile(
    r"facebookexternalhit|facebookcatalog|facebot|meta-externalagent|twitterbot|WhatsApp/|TelegramBot|"
    r"Slackbot|Slack-ImgProxy|Discordbot|SkypeUriPreview|MicrosoftPreview|LinkedInBot|Viber|redditbot|Pinterestbot|"
    r"Google[- ]?Messages|com\.google\.android\.apps\.messaging|Google-PageRenderer|kakaotalk-scrap|"
    r"Snap URL Preview|iMessageLinkPreview|LinkPresentation|Iframely|Embedly|Mastodon/|Bluesky Cardyb",
    re.IGNORECASE,
)

#: Programs that are no browser, and which the library takes for one. An in-app browser also names "Mozilla".
_PROGRAMS = re.compile(
    r"^Dalvik/|\bCFNetwork/|Barracuda|Mimecast|Proofpoint|ProofPoint|Symantec|TrendMicro|Sophos|FireEye|Forcepoint|"
    r"Bitdefender|ESET |Kaspersky|^okhttp|^node|^axios|^undici|^Java/|^Deno/|^Bun/|HeadlessChrome|PhantomJS|"
    r"Lighthouse|^Mozilla/[45]\.0$|^Mozilla/5\.0 \(compatible\)$|BingPreview|Zscaler|urlscan|VirusTotal",
    re.IGNORECASE,
)


def who(method: str, headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the kind of who asks, and the word that gave it away (in English, "" of a person).

    :param headers: those of the request; capitals do not matter.
    """
    if method.upper() != "GET":
        return HEAD, method.upper()[:20]
    said = {name.lower(): value for name, value in headers.items()}
    for name in _AHEAD:
        if found := _AHEAD_WORDS.search(said.get(name, "")):
            return PREFETCH, f"{name}: {found[0].lower()}"
    agent = said.get("user-agent", "").strip()
    if not agent:
        return BOT, "no user agent"
    if found := _PREVIEWS.search(agent):
        return PREVIEW, _word(found[0])
    if found := _PROGRAMS.search(agent):
        return BOT, _word(found[0])
    # one for each question: it keeps its last answer
    crawlers = CrawlerDetect()
    if crawlers.is_crawler(agent):
        return BOT, _word(crawlers.get_matches() or "crawler")
    return HUMAN, ""


def _word(found: str) -> str:
    return found.strip(" /;()")[:60]
