"""Making text from the wild safe: no link to a live feed, no control characters, bounded length."""

from __future__ import annotations

import heapq
import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

REMOVED: Final = "[link removed]"
VALUE_LENGTH: Final = 1_000  # characters kept of one value; OpenStreetMap itself allows 255
KEY_LENGTH: Final = 255
OBJECT_BYTES: Final = 64_000  # of all the tags of one object, as JSON in UTF-8
OBJECT_TAGS: Final = 2_000


class Clean(NamedTuple):
    """The tags of one object made safe, and what was taken out on the way."""

    tags: dict[str, str]
    links: int  # links dropped, whole tags and parts of values alike
    cuts: list[tuple[str, str, str]]  # field, value, reason


def clean_tags(tags: Mapping[str, str], *, matters: Callable[[str], bool]) -> Clean:
    """Make the tags of one object safe to keep: links dropped, text normalised, size bounded.

    A tag whose key announces a link (``contact:webcam``, ``url``, ``image``...) is dropped
    unless its value is a plain yes or no; a link inside any other value is replaced by
    ``[link removed]``. No key is exempt: not even ``source`` is known to lead to no feed.
    Where an object is larger than 64 kB, the tags whose key ``matters`` come first.
    """
    kept: dict[str, str] = {}
    cuts: list[tuple[str, str, str]] = []
    links, room = 0, OBJECT_BYTES
    large = sum(map(len, tags)) + sum(map(len, tags.values())) > OBJECT_BYTES // 8
    for raw_key in _by_weight(tags, matters) if large else tags:
        key, is_name, announces, is_link = _key(raw_key[: KEY_LENGTH + 1])
        raw_value = tags[raw_key][: VALUE_LENGTH + 1]
        if is_link or (announces and raw_value.strip().lower() not in _PLAIN_ANSWERS):
            links += 1
            continue
        value, found = _value(raw_value[:VALUE_LENGTH], is_name)
        if large:
            room -= len(json.dumps(key + value)) + 8
            if room < 0:
                break
        links += found
        kept.setdefault(key, value)
        if len(raw_value) > VALUE_LENGTH:
            cuts.append((key, value, f"longer than {VALUE_LENGTH:,} characters: cut"))
    if room < 0 or (large and len(tags) > OBJECT_TAGS):
        reason = f"more than {OBJECT_BYTES:,} bytes or {OBJECT_TAGS:,} tags: the rest is left out"
        cuts.append(("*", f"{len(tags):,} tags", reason))
    return Clean(kept, links, cuts)


def _by_weight(tags: Mapping[str, str], matters: Callable[[str], bool]) -> list[str]:
    """The keys that matter first, then short tags before long ones."""
    return heapq.nsmallest(
        OBJECT_TAGS, tags, key=lambda key: (not matters(key), len(key) + len(tags[key]), key)
    )


def safe_text(text: str) -> str:
    """Text without links, control characters and lone surrogates, in normal form C."""
    return _value(text, False)[0]


def tidy(text: str) -> str:
    """Text in normal form C without control characters.

    Dropped: C0 and C1 controls (tabs and line breaks become spaces), lone surrogates, zero-width
    spaces, byte order marks, and every mark that overrides the direction of writing. Kept: the
    zero-width joiner and non-joiner, without which Persian, Hindi and emoji are spelled wrongly.
    """
    if text.isascii() and text.isprintable():
        return text
    return unicodedata.normalize("NFC", _INVISIBLE.sub("", _BREAKS.sub(" ", text)))


_BREAKS = re.compile("[\t\n\x0b\x0c\r\x85\u2028\u2029]")
_INVISIBLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069"
    "\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff\U000e0000-\U000e007f]"
)
_PLAIN_ANSWERS = frozenset({"yes", "no", "true", "false", "unknown"})

_PART = r"(?:^|[\W\d_])(?:{})(?=[\W\d_]|$)"
# Parts of a key that announce a link: contact:webcam, webcam_url, stream:hls, source:url...
_LINK_KEY = re.compile(
    _PART.format(
        "urls?|uri|links?|href|https?|web|website|homepage|webpage|(?:web|live)cams?|"
        "(?:live)?streams?|streaming|live|feeds?|rtsp|rtmp|hls|mjpeg|onvif|images?|picture|"
        "photos?|snapshot|videos?|youtube|twitch|vimeo|dailymotion|facebook|instagram|twitter|"
        "tiktok|telegram"
    ),
    re.IGNORECASE,
)
# Keys whose value is a name, where a bare host such as foto-webcam.eu is what a firm is called.
_NAME_KEY = re.compile(_PART.format("operator|owner|brand|manufacturer|model|network|name"))

_TOP_LEVELS = (
    "com|org|net|info|edu|gov|mil|int|biz|eu|tv|io|me|to|cc|ai|app|dev|live|cam|camera|video|stream|"
    "online|site|website|cloud|xyz|top|club|shop|store|tech|media|news|city|swiss|wien|berlin|bayern|"
    "hamburg|koeln|paris|london|ch|li|at|de|fr|it|es|pt|nl|be|lu|mc|uk|ie|dk|se|no|fi|is|pl|cz|sk|hu|"
    "ro|bg|gr|hr|si|rs|ba|mk|al|ua|ru|by|lt|lv|ee|tr|il|us|ca|mx|br|ar|cl|co|pe|au|nz|jp|kr|cn|tw|hk|"
    "sg|my|th|id|vn|ph|in|za|ma|tn|eg|sa|ae"
)
# A host begins where no letter, dot or hyphen stands before: one start a host keeps this linear.
_HOST = r"(?<![\w-])(?<![\w-]\.)(?:[\w-]{1,63}\.)+"
_SMALL_HOST = r"(?<![\w-])(?<![\w-]\.)(?:[a-z0-9-]{1,63}\.)+"
_ADDRESSED = (
    r"[a-z][a-z0-9+.\-]{0,30}:/{2}\S*"  # any scheme://
    r"|(?:https?|rtsps?|rtmp[a-z]?|(?<![a-z])(?:mms[htu]?|ftps?|srt|hls|onvif|webrtc))"
    r"\s{0,3}(?::|%3a)\s{0,3}/*\S*"
    r"|//[\w-]{1,63}\.\S+"
    r"|www\d{0,3}\.\S*"
    rf"|{_HOST}(?:{_TOP_LEVELS})(?::\d{{2,5}})?[/?#]\S*"  # host/path
    rf"|(?-i:{_SMALL_HOST}[a-z]{{2,18}}(?::\d{{2,5}})?[/?#]\S+)"  # any host in small letters
    rf"|{_HOST}[a-z]{{2,18}}:\d{{2,5}}\b"  # host:port
    r"|(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?:/\S*)?"  # a numeric address
    r"|\[[0-9a-f:]{3,39}\](?::\d+)?/\S*"
)
_LINK = re.compile(_ADDRESSED, re.IGNORECASE)
_LINK_OR_HOST = re.compile(
    rf"{_ADDRESSED}|(?<![\w@-])(?<![\w@-]\.)(?:[\w-]{{2,63}}\.)+(?-i:{_TOP_LEVELS})(?![\w-]|\.\w)",
    re.IGNORECASE,
)


@lru_cache(maxsize=8192)
def _key(key: str) -> tuple[str, bool, bool, bool]:
    """The key made safe; whether its value is a name; whether it announces or is a link."""
    safe = tidy(key[:KEY_LENGTH])
    is_link = bool(_LINK_OR_HOST.search(safe))
    return safe, bool(_NAME_KEY.search(safe)), bool(_LINK_KEY.search(safe)), is_link


@lru_cache(maxsize=32768)
def _value(value: str, is_name: bool) -> tuple[str, int]:
    """The value made safe, and how many links were taken out of it."""
    text = tidy(value)
    if "." not in text and ":" not in text and "%" not in text:
        return text, 0
    return (_LINK if is_name else _LINK_OR_HOST).subn(REMOVED, text)
