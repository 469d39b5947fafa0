"""What a browser or phone is called in the list of sign-ins: two words of its own long name."""

_BROWSERS = (
    *(("MicroMessenger", "WeChat"), ("DingTalk", "DingTalk"), ("Edg", "Edge")),
    *(("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Safari", "Safari"), ("QGIS", "QGIS")),
)
_SYSTEMS = (
    *(("HarmonyOS", "HarmonyOS"), ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad")),
    *(("Windows", "Windows"), ("Mac OS", "macOS"), ("Linux", "Linux")),
)


def client_name(user_agent: str | None) -> str:
    """Return browser and system of a ``User-Agent``: enough to know the own phone by.

    Examples
    --------
    >>> client_name("Mozilla/5.0 (Linux; Android 14) AppleWebKit/537 Chrome/130 Mobile Safari/537")
    'Chrome, Android'
    >>> client_name(None)
    ''
    """
    words = (
        next((name for mark, name in known if mark in (user_agent or "")), "")
        for known in (_BROWSERS, _SYSTEMS)
    )
    return ", ".join(filter(None, words))
