"""Whether a text holds a key, token, password or private key. What is found is dropped, so each pattern is certain.

Tokens that tell by their form: the rules of gitleaks (`secret_rules.json`: pinned, MIT) and some that it lacks. Values
that tell by the name before them: an assignment to a `password`, `secret_key` and the like, where the literal looks
drawn rather than written. A pattern is asked only where its keyword occurs, and repetitions are bounded.
Not covered: secrets without a form whose name says nothing, and passwords that are words.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections import Counter
from itertools import chain, pairwise
from pathlib import Path
from typing import NamedTuple


class Rule(NamedTuple):
    """A kind of token."""

    keywords: tuple[str, ...]
    """Of which one is in the text, in small letters."""
    pattern: re.Pattern[str]
    """Its first group is the token, or all of it."""
    entropy: float
    """Bits a sign that a token has more of."""


_BETWEEN = r"[^A-Za-z0-9]{0,40}(?:[nr][^A-Za-z0-9]{0,9}){0,4}"
_PRIVATE_KEY = (
    rf"-----BEGIN (?:[A-Z0-9]{{2,9}} ){{0,3}}PRIVATE KEY(?: BLOCK)?-----{_BETWEEN}"
    rf"(?:[A-Z][A-Za-z-]{{1,20}}: [^\n\\'\"]{{0,120}}{_BETWEEN}){{0,6}}[A-Za-z0-9+/]{{20}}"
)
_OWN = (
    ("akia", r"\bAKIA[0-9A-Z]{16}\b(?<!EXAMPLE)"),
    ("asia", r"\bASIA[0-9A-Z]{16}\b(?<!EXAMPLE)"),
    ("github_pat_", r"\bgithub_pat_[A-Za-z0-9_]{82}\b"),
    ("xox", r"\bxox[abposr]-[0-9]{8,14}-[0-9A-Za-z-]{10,80}"),
    ("xapp-", r"\bxapp-\d{1,3}-[A-Z0-9]{8,16}-\d{8,16}-[a-f0-9]{32,80}"),
    ("hooks.slack.com/", r"hooks\.slack\.com/services/T[A-Z0-9]{8,12}/B[A-Z0-9]{8,12}/[A-Za-z0-9]{20,30}"),
    ("sk-", r"\bsk-(?:proj-|svcacct-|admin-|ant-[a-z0-9]{3,8}-|or-v1-)[A-Za-z0-9_-]{40,250}"),
    ("sg.", r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}\b"),
    ("hvs.", r"\bhv[sr]\.[A-Za-z0-9_-]{24,250}"),
    ("django-insecure-", r"\bdjango-insecure-[^\s'\"]{40,60}"),
    ("gocspx-", r"\bGOCSPX-[A-Za-z0-9_-]{28}\b"),
    (":aa", r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}(?![\w-])"),  # Telegram
    ("accountkey=", r"\bAccountKey=[A-Za-z0-9+/]{86}=="),
    ("-us", r"\b[0-9a-f]{32}-us\d{1,2}\b"),  # Mailchimp
    (":apa91b", r"\bAAAA[A-Za-z0-9_-]{7}:APA91b[A-Za-z0-9_-]{100}"),
    ("nrak-", r"\bNRAK-[A-Z0-9]{27}\b"),
    ("gsk_", r"\bgsk_[A-Za-z0-9]{52}\b"),
    ("xai-", r"\bxai-[A-Za-z0-9]{80}\b"),
    ("tskey-", r"\btskey-[a-z]{3,8}-[A-Za-z0-9]{8,20}-[A-Za-z0-9]{20,40}\b"),
    ("sbp_", r"\bsbp_[0-9a-f]{40}\b"),
    ("figd_", r"\bfigd_[A-Za-z0-9_-]{40}"),
    ("atatt3", r"\bATATT3[A-Za-z0-9_=-]{180,200}"),
    ("dckr_", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{27}"),
    ("private key", _PRIVATE_KEY),
    ("eyj", r"\beyJ[A-Za-z0-9_-]{15,500}\.eyJ[A-Za-z0-9_-]{15,2000}\.[A-Za-z0-9_-]{20}"),
)
_DRAWN = (("sk-", r"\bsk-[A-Za-z0-9]{48}\b", 3.7), ("r8_", r"\br8_[A-Za-z0-9]{37}\b", 3.7),
          ("key-", r"(?<![\w-])key-[0-9a-f]{32}\b", 3.2))  # fmt: skip
"""Forms that only randomness makes certain."""


def _rules() -> tuple[Rule, ...]:
    found = json.loads(Path(__file__).with_name("secret_rules.json").read_text(encoding="utf-8"))["rules"]
    theirs = [Rule(tuple(each["keywords"]), re.compile(each["pattern"]), each.get("entropy", 0.0)) for each in found]
    own = [Rule((keyword,), re.compile(pattern), entropy) for keyword, pattern, entropy in
           (*((keyword, pattern, 0.0) for keyword, pattern in _OWN), *_DRAWN)]  # fmt: skip
    return *own, *theirs


RULES = _rules()
_ASKED = tuple((keyword, rule) for rule in RULES for keyword in rule.keywords)

_NAME = (
    r"(secret|passw(?:or)?d|passwd|passphrase|pwd|(?<=_)pass(?![a-z])"
    r"|(?:api|access|private|encryption|signing|auth|account)[_-]?key"
    r"|(?:auth|access|refresh|bearer|api|private|personal|bot|session|discord|deploy)[_-]?token)(?:[_-]?(?:access|api|signing))?(?:[_-]?(?:key|token|value|base)){0,2}"
)
_TYPE = r"[\w.:<>\[\]; &|?']{1,40}"
_GIVEN = (
    r"(?:['\"`]\s{0,3},"  # `setProperty("db.password", …)`
    r"|['\"`]?\]?(?:\[\d{0,5}\])?\s{0,3}"
    rf"(?:\??:{_TYPE}=|(?<=\s)[\w.\[\]]{{1,16}}\s{{1,3}}=|\{{\s{{0,3}}get;[\w\s;]{{0,40}}\}}\s{{0,3}}="  # with its type
    r"|:=|=>|\|\|=|\?\?=|\|\||\?\?|=|:|[({]|(?<=[ \t])(?=['\"]))"  # the last: `#define API_KEY "…"`
    r")"
)
"""How languages give a value to a name that was read before."""
_BEFORE = (
    r"[\s\\]{0,24}(?:[\w.:\[\]'\"()]{1,60}\s{1,3}(?:\|\||\?\?|\?:|or)\s{1,3})?"  # `process.env.KEY || "…"`
    r"(?:(?:string::from|new string|secretstr|some|bytes|str)?\(\s{0,24})?[brfucl@$]{0,2}\#{0,3}"
)
_LITERAL = (
    r"(?:'{1,3}([^'\s]{8,200})'|\"{1,3}([^\"\s]{8,200})\"|`([^`\s]{8,200})`"
    r"|%q?[({\[<|]([^\s(){}\[\]<>|]{8,200})[)}\]>|])"
)
_NAME_AT = re.compile(_NAME)
_ASSIGNED = re.compile(_NAME + _GIVEN + _BEFORE + _LITERAL, re.IGNORECASE)
_IN_TEXT = re.compile(
    r"['\"`][^'\"`\n]{0,200}?" + _NAME + r"=([^\s'\"`;&,()\[\]{}<>$%\\]{8,200})(?=['\"`;&])", re.IGNORECASE
)
"""`"Server=db;Password=…;"`, `putenv('API_KEY=…')`."""
_BARE = re.compile(
    _NAME
    + r"['\"]?\s{0,3}[:=]\s{0,3}(?=[^\d\s]{0,40}\d{1,9}[a-z+/_=-]{1,40}\d)([a-z0-9+/_-]{20,200}={0,2})(?=[\s'\"`,;]|$)",
    re.IGNORECASE,
)
"""`export API_KEY=…`, `api_key: …`, `-H 'X-Api-Key: …'`; a type's name has no two numbers."""
_BEHIND_A_USER = re.compile(
    r"(?:\bauth\s{0,3}=\s{0,3}\(|basicauth\(|getconnection\([^,()\n]{1,120},|\.login\()\s{0,9}(['\"])[^'\"\n]{1,60}\1\s{0,3},"
    r"\s{0,9}(['\"])([^'\"\s]{8,200})\2",
    re.IGNORECASE,
)
"""`auth=("admin", "…")`, `DriverManager.getConnection(url, "root", "…")`."""
_USERS = ("auth", "getconnection", ".login(")
_NAMES = ("secret", "passw", "passphrase", "pwd", "key", "token", "_pass")
_IN_URL = re.compile(r"://[^\s:/@'\"]{0,40}:([^\s:/@'\"]{8,60})@")
_IN_HEADER = re.compile(r"\bbearer(?:\s{1,3}|%20)([\w.~+/=-]{16,500})", re.IGNORECASE)
_BASIC = re.compile(r"\bbasic\s{1,3}([a-z0-9+/]{12,200}={0,2})", re.IGNORECASE)
"""`Authorization: Bearer …`, and `Basic …`, which is a name and a password in base64."""
_PLACEHOLDER = re.compile(
    r"example|your|p[a@4][s$5]{2}w[o0]rd|qwerty|placeholder|change|dummy|sample|test|xxx|\.\.|abcdef|12345678|\$\{|\{\w{0,40}\}|%\(|%s|<\w|://|\*\*\*|\\[dwsnxu]"
    r"|\w\(\)|\$\w{1,40}(?:\[|->)|\w=[^&]{1,80}&\w{1,40}=",  # calls, PHP's values in text, forms
    re.IGNORECASE,
)
_NAMED = re.compile(r"passw|secret|token|user|login|field|param", re.IGNORECASE)
"""What is named so is a name, unless it is long."""
_TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]+")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE)
"""A drawn one; others are made of names, or counted."""
_HEX = re.compile(r"[0-9a-f]+|[0-9A-F]+")
MIN_BITS = 3.7
"""Entropy of a random literal of 20 signs or more, in bits a sign; words and paths have less."""
MIN_SWITCHES = 0.35
"""Share of neighbours of different kinds (digit, small, large, sign): 0.62 in random text, 0.3 in `camelCase2`."""

FOLDED_OTHERWISE = "[\u0130\u0131]"
"""The Turkish letters that Python takes for an i when cases do not count, and RE2 does not."""
_WITH_MORE = {
    "r8_": "r8_[a-z0-9]{37}", "key-": "key-[0-9a-f]{32}", "-us": r"[0-9a-f]{32}-us\d", ":aa": r"\d:aa[a-z0-9_-]{33}",
    "gsk_": "gsk_[a-z0-9]{52}", "xai-": "xai-[a-z0-9]{80}",
    "sk": "sk[0-9a-f]{32}", "sg.": r"sg\.[a-z0-9=_.-]{22}", "hf_": "hf_[a-z]{34}", "pat.": r"pat\.[a-z0-9_-]{22}",
    "ext_": r"ext_[a-z0-9]{5,30}\.", "sc_": r"sc_[a-z0-9]{5,30}\.",
}  # fmt: skip
"""Keywords that ordinary words hold, with more of the token: without these one row in twelve is asked about."""
SUSPECT = "(?i)" + "|".join((
    *sorted({_WITH_MORE.get(keyword, re.escape(keyword)) for keyword, _ in _ASKED}),
    _NAME.replace("(?<=_)", "_").replace("(?![a-z])", ""),
    r"://[^\s:/@'\"]{0,40}:[^\s:/@'\"]{8}",
    r"\bauth\s{0,3}=\s{0,3}\(", r"basicauth\(", r"getconnection\(", r"\.login\(",
    r"bearer[\s%]", r"basic\s{1,3}[a-z0-9+/]{12}",
    FOLDED_OTHERWISE,
))  # fmt: skip
"""For RE2: in a text without it there is no secret (`suspects.py`)."""


def has_secret(text: str) -> bool:
    """Whether a key, token, password or private key stands in a text."""
    text = text.replace("\u0130", "I")  # small it is two letters
    lower = text.lower()
    for keyword, rule in _ASKED:  # a plain loop: it is most of what a row without secrets costs
        if keyword in lower and _found(rule, text):
            return True
    if "://" in text and any(_is_password(match[1], signs=False) for match in _IN_URL.finditer(text)):
        return True
    if _in_header(text, lower):
        return True
    if any(name in lower for name in _USERS) and any(
        _is_drawn("pass", match[3]) for match in _BEHIND_A_USER.finditer(text)
    ):
        return True
    if not any(name in lower for name in _NAMES):
        return False
    given = (pattern.match(text, name.start()) for name in _NAME_AT.finditer(lower) for pattern in (_ASSIGNED, _BARE))
    found = chain(filter(None, given), _IN_TEXT.finditer(text))
    return any(_is_drawn(match[1].lower(), _bare(next(filter(None, match.groups()[1:])))) for match in found)


def _in_header(text: str, lower: str) -> bool:
    """Whether an HTTP header gives a token or a password."""
    if "bearer" in lower and any(_is_drawn("token", match[1]) for match in _IN_HEADER.finditer(text)):
        return True
    passwords = (_password(match[1]) for match in _BASIC.finditer(text)) if "basic" in lower else ()
    return any(len(password) >= 8 and _is_drawn("pass", password) for password in passwords)


def _password(encoded: str) -> str:
    """What stands behind the colon of a name and a password in base64; empty where there is none."""
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4)).decode("ascii").partition(":")[2]
    except ValueError:
        return ""


def _bare(literal: str) -> str:
    """C++: `R"(…)"` without its parentheses."""
    return literal[1:-1] if literal[0] == "(" and literal[-1] == ")" else literal


def _found(rule: Rule, text: str) -> bool:
    for match in rule.pattern.finditer(text):
        token = match[1] if match.re.groups and match[1] else match[0]
        if (not rule.entropy or _bits(token) > rule.entropy) and "example" not in token.lower():
            return True
    return False


def _bits(text: str) -> float:
    """Shannon entropy a sign."""
    return -sum(count / len(text) * math.log2(count / len(text)) for count in Counter(text).values())


def _is_drawn(name: str, literal: str) -> bool:
    """Whether a literal under a name that promises a secret is one, and no word, path or placeholder."""
    if _PLACEHOLDER.search(literal):
        return False
    if _UUID.fullmatch(literal):
        return not name.endswith("token") and _bits(literal) >= 3.3
    if _HEX.fullmatch(literal):
        return len(literal) >= 20 and any(map(str.isdigit, literal)) and _bits(literal) >= 3.2
    if literal[0] == "/" and literal.count("/") > 2:
        return False  # a path
    if len(literal) >= 20 and _TOKEN.fullmatch(literal):
        kinds = (any(map(str.isdigit, literal)), any(map(str.islower, literal)), any(map(str.isupper, literal)))
        return all(kinds) and _bits(literal) >= MIN_BITS and _switches(literal) >= MIN_SWITCHES
    if name.startswith(("pass", "pwd")):
        return _is_password(literal, signs=True)
    return len(literal) >= 16 and _is_password(literal, signs=len(literal) >= 24) and _bits(literal) >= 3.3


def _is_password(literal: str, *, signs: bool) -> bool:
    """Whether a short literal mixes kinds of signs as nobody writes a name; with `signs` one that holds any will do."""
    if _PLACEHOLDER.search(literal) or _NAMED.search(literal) or literal[0] in "/.#(<[{":
        return False
    kinds = {_kind(sign) for sign in literal}
    if len(kinds - {"_"}) < 3:
        return False
    return (signs and "!" in kinds) or _switches(literal) >= MIN_SWITCHES


def _switches(literal: str) -> float:
    """Share of neighbours that are of different kinds."""
    return sum(one != other for one, other in pairwise(map(_kind, literal))) / (len(literal) - 1)


def _kind(sign: str) -> str:
    if sign in "_-./:":
        return "_"  # joins words
    return "0" if sign.isdigit() else "a" if sign.islower() else "A" if sign.isupper() else "!"
