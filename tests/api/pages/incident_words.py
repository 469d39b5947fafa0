"""The phrases that pages of incidents put together from words of the domain."""

from geodata.categories import LEVELS, LIMITED_STEPS, PARTY_KINDS
from gridsvc.incidents.lists.model import LISTS
from gridsvc.incidents.model import ACTOR_KINDS, STEPS


def incident_words() -> set[str]:
    """Return the keys of phrases that no page spells out."""
    made = [step for step in STEPS if step not in ("report", "follow")]
    return {
        *(f"incidents_list_{name}" for name in LISTS),
        *(f"incidents_headline_{name}" for name in LISTS),
        *(f"incident_level_{level}" for level in LEVELS),
        *(f"incident_step_{step}" for step in made),
        *(f"incident_did_{step}" for step in STEPS),
        *(f"incident_next_{step}" for step in LIMITED_STEPS),
        *(f"incident_by_{kind}" for kind in ACTOR_KINDS),
        *(f"party_{kind}" for kind in PARTY_KINDS),
    }
