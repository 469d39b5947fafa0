"""People in plain Python."""

AFFILIATIONS = ("party_member", "league_member", "masses")
POST_KINDS = ("building_chief", "lane_chief", "street_chief")
ORGANISATION_KINDS = (
    "party_branch",
    "mutual_aid_association",
    "self_governance_group",
    "chief_team",
    "society",
)
