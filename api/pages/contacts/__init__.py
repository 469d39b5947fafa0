"""The pages of household contacts: plans and their review, coverage, hand-overs, notices."""

from api.pages.contacts import coverage, handing_over, notices, own, plan, plans

ROUTERS = (
    *(plans.router, plan.router, coverage.router),
    *(handing_over.router, notices.router, own.router),
)
