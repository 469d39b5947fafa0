"""What happens to an incident: steps, who may make them, until when, and the trail of events."""
