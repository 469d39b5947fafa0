"""The pages of notices: the inbox, texts to copy, channels and dead letters."""

from api.pages.notices import inbox, office, texts

ROUTERS = (inbox.router, texts.router, office.router)
