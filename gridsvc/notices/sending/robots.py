"""What each kind of receiver on the web is sent, and what its answer means.

References
----------
.. [1] WeCom, group robots, https://developer.work.weixin.qq.com/document/path/91770: text of at
   most 2,048 bytes, 20 messages a minute.
.. [2] DingTalk, custom robots, https://open.dingtalk.com/document/orgapp/custom-robot-access:
   20 messages a minute.
.. [3] Feishu, custom bots, https://open.feishu.cn/document/client-docs/bot-v3/add-custom-bot:
   requests of at most 20 KB, 100 messages a minute.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from gridsvc.notices.model import DINGTALK, FEISHU, WEBHOOK, WECOM, Letter
from gridsvc.notices.sending.outcome import Answer, RefusedError
from gridsvc.notices.sending.signing import sign_dingtalk, sign_feishu, sign_webhook

MAX_TEXT_BYTES: Mapping[str, int] = {WECOM: 2_048, DINGTALK: 18_000, FEISHU: 18_000}
_PAUSE_S = 60.0
"""Robots count messages by the minute."""
# Refusals for coming too often, or because the receiver is busy; any other is about us.
_BUSY_CODES = {
    WECOM: frozenset({-1, 45009, 45033}),
    DINGTALK: frozenset({-1, 130101, 130102, 410100}),
    FEISHU: frozenset({11232, 99991400}),
}
_AGAIN_STATUSES = {
    HTTPStatus.REQUEST_TIMEOUT,
    HTTPStatus.TOO_EARLY,
    HTTPStatus.TOO_MANY_REQUESTS,
}


@dataclass(frozen=True)
class Post:
    """A request to be made."""

    url: str
    body: bytes
    headers: Mapping[str, str]


def post_of(letter: Letter, url: str, secret: str | None, *, now: datetime) -> Post:
    """Return the request that brings a letter to its channel, signed where there is a secret."""
    make: Callable[[Letter, str, str | None, datetime], Post] = {
        WECOM: _wecom,
        DINGTALK: _dingtalk,
        FEISHU: _feishu,
        WEBHOOK: _webhook,
    }[letter.delivery.kind]
    return make(letter, url, secret, now)


def _wecom(letter: Letter, url: str, _: str | None, __: datetime) -> Post:
    return _post(url, {"msgtype": "text", "text": {"content": text_of(letter)}})


def _dingtalk(letter: Letter, url: str, secret: str | None, now: datetime) -> Post:
    if secret:
        timestamp_ms = int(now.timestamp() * 1000)
        sign = sign_dingtalk(secret, timestamp_ms=timestamp_ms)
        parts = urlsplit(url)
        query = [*parse_qsl(parts.query), ("timestamp", str(timestamp_ms)), ("sign", sign)]
        url = urlunsplit(parts._replace(query=urlencode(query)))
    return _post(url, {"msgtype": "text", "text": {"content": text_of(letter)}})


def _feishu(letter: Letter, url: str, secret: str | None, now: datetime) -> Post:
    content: dict[str, Any] = {"msg_type": "text", "content": {"text": text_of(letter)}}
    if secret:
        timestamp_s = int(now.timestamp())
        sign = sign_feishu(secret, timestamp_s=timestamp_s)
        content = {"timestamp": str(timestamp_s), "sign": sign, **content}
    return _post(url, content)


def _webhook(letter: Letter, url: str, secret: str | None, now: datetime) -> Post:
    """Return the request of a machine: the same id each time, so that it can tell a repetition."""
    notice, delivery = letter.notice, letter.delivery
    content = {
        "type": notice.template,
        "timestamp": notice.created_at.isoformat(timespec="seconds"),
        "data": {
            "notice": str(notice.id),
            "community": str(notice.community_code),
            "place": notice.place_code,
            "category": notice.category or None,
            "subject": notice.subject,
            "language": delivery.language,
            "title": letter.rendered.title,
            "text": letter.rendered.text,
        },
    }
    made = _post(url, content)
    if secret is None:
        return Post(url, made.body, {**made.headers, "webhook-id": str(delivery.id)})
    signed = sign_webhook(
        secret, message_id=str(delivery.id), timestamp_s=int(now.timestamp()), body=made.body
    )
    return Post(url, made.body, {**made.headers, **signed})


def _post(url: str, content: object) -> Post:
    body = json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()
    return Post(url, body, {"Content-Type": "application/json; charset=utf-8"})


def text_of(letter: Letter) -> str:
    """Return title and text for a group, at most as long as its robot takes.

    What would call people to the chat (``<at …>``, ``<@…>``) is somebody's words, and does not.
    """
    text = f"{letter.rendered.title}\n{letter.rendered.text}".replace("<", "＜")
    return shortened(text, MAX_TEXT_BYTES.get(letter.delivery.kind, 18_000))


def shortened(text: str, max_bytes: int) -> str:
    """Return a text of at most so many bytes in UTF-8, cut between letters.

    Examples
    --------
    >>> shortened("楼道照明", 12), shortened("楼道照明", 11)
    ('楼道照明', '楼道…')
    """
    encoded = text.encode()
    if len(encoded) <= max_bytes:
        return text
    return encoded[: max_bytes - len("…".encode())].decode(errors="ignore") + "…"


def judge(kind: str, answer: Answer) -> None:
    """Return where an answer says that all is well.

    Raises
    ------
    RefusedError
        It does not; robots refuse with 200 and a code in the body.
    """
    if not HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES:
        raise _refusal(answer)
    if kind == WEBHOOK:
        return
    code = _code_of(kind, answer.body)
    if code is None:
        raise RefusedError("garbage", answer.status)
    if code != 0:
        is_busy = code in _BUSY_CODES[kind]
        outcome = "too-often" if is_busy else "refused"
        after_s = _PAUSE_S if is_busy else 0.0
        raise RefusedError(outcome, code, is_final=not is_busy, after_s=after_s)


def _refusal(answer: Answer) -> RefusedError:
    status = answer.status
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        return RefusedError("redirect", status, is_final=True)
    if status in _AGAIN_STATUSES or status >= HTTPStatus.INTERNAL_SERVER_ERROR or status < 200:
        return RefusedError("status", status, after_s=answer.after_s)
    return RefusedError("status", status, is_final=True)


def _code_of(kind: str, body: bytes) -> int | None:
    """Return the code in a robot's answer; 0 means done."""
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(told, dict):
        return None
    names = ("code", "StatusCode") if kind == FEISHU else ("errcode",)
    code = next((told[name] for name in names if name in told), None)
    return code if isinstance(code, int) and not isinstance(code, bool) else None
