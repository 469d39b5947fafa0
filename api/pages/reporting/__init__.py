"""The pages of reports without an account, and of the photos that coordinators publish."""

from api.pages.reporting import follow, photos, report

ROUTERS = (report.router, follow.router, photos.router)
