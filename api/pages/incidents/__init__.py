"""The pages of incidents: work lists, one incident with its steps, and what a party is handed."""

from api.pages.incidents import handed, one, work

ROUTERS = (work.router, one.router, handed.router)
