"""What happens to incidents by itself: moving to where they belong, and rules that act in time."""
