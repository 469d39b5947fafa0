"""Photos of a report: made small and bare, blurred by hand, published or not."""
